/** A clock that jumps, as after a sleep, a wrong time server, or its repair: nobody is locked out for good, and no sign-in is lost. */
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, vi } from "vitest";
import { databases } from "../support/long-tests.ts";
import { startNode, turnClock } from "../support/node-process.ts";
import { kill } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { createDatabase } from "../support/test-database.ts";
import { call, refresh, signIn, signUp, type Tokens, whoami } from "../support/wire.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

async function nodeOn(kind: "sqlite" | "postgres") {
  const folder = await temporaryFolder();
  const url = kind === "sqlite" ? `file:${folder.file("auth.db")}` : await createDatabase();
  const { child, server } = startNode(url, { env: { COUNTERSIGN_ACCESS_TTL: "15m" } });
  return {
    url: (await server).url,
    folder,
    turn: (aheadMs: number) => turnClock(child, aheadMs),
    async [Symbol.asyncDispose]() {
      await kill(child);
      await folder[Symbol.asyncDispose]();
    },
  };
}

const isReady = (url: string) =>
  vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200), { timeout: 10_000, interval: 100 });

async function refreshed(url: string, tokens: Tokens): Promise<Tokens> {
  const { data, reason } = await refresh(url, tokens);
  expect(reason).toBeNull();
  return data as Tokens;
}

describe.each(databases)("on %s, a clock that jumps", (kind) => {
  it("an hour ahead, and back: tokens end and are renewed, sessions go on", { timeout: 60_000 }, async () => {
    await using node = await nodeOn(kind);
    const { url } = node;
    let alice = await signUp(url, "alice");
    const gone = await signIn(url, "alice");
    await call(url, "auth.logout", { input: { refreshToken: gone.refreshToken } });

    await node.turn(hour);
    expect((await whoami(url, alice)).reason).toBe("TOKEN_EXPIRED");
    alice = await refreshed(url, alice);
    expect(await whoami(url, alice)).toMatchObject({ status: 200 });
    const bob = await signUp(url, "bob");
    await isReady(url);

    await node.turn(0);
    alice = await refreshed(url, alice);
    expect(await whoami(url, alice)).toMatchObject({ status: 200 });
    expect(await whoami(url, await refreshed(url, bob))).toMatchObject({ status: 200 });
    // What was forgotten an hour from now matters again.
    await vi.waitFor(async () => expect((await whoami(url, gone)).reason).toBe("SESSION_REVOKED"), { timeout: 5_000 });
    await signIn(url, "bob");
    await isReady(url);
  });

  it("back by a day, and to the present: revocations hold, sign-ins work", { timeout: 60_000 }, async () => {
    await using node = await nodeOn(kind);
    const { url } = node;
    const alice = await signUp(url, "alice");
    const gone = await signIn(url, "alice");
    await call(url, "auth.logout", { input: { refreshToken: gone.refreshToken } });

    await node.turn(-day);
    expect((await refresh(url, gone)).reason).toBe("SESSION_REVOKED");
    const bob = await signUp(url, "bob");
    expect(await whoami(url, bob)).toMatchObject({ status: 200 });
    const left = await signIn(url, "bob");
    await call(url, "auth.logout", { input: { refreshToken: left.refreshToken } });
    await vi.waitFor(async () => expect((await whoami(url, left)).reason).toBe("SESSION_REVOKED"));
    await isReady(url);

    await node.turn(0);
    expect((await refresh(url, gone)).reason).toBe("SESSION_REVOKED");
    expect((await refresh(url, left)).reason).toBe("SESSION_REVOKED");
    expect(await whoami(url, await refreshed(url, alice))).toMatchObject({ status: 200 });
    expect(await whoami(url, await refreshed(url, bob))).toMatchObject({ status: 200 });
  });

  it("by ten years, and back: who signed in before has to again, and their account is there", {
    timeout: 60_000,
  }, async () => {
    await using node = await nodeOn(kind);
    const { url } = node;
    const alice = await signUp(url, "alice");
    await node.turn(3_650 * day);
    expect((await refresh(url, alice)).reason).toBe("TOKEN_EXPIRED");
    const then = await signIn(url, "alice");
    expect(await whoami(url, then)).toMatchObject({ status: 200 });
    await isReady(url);

    await node.turn(0);
    await isReady(url);
    expect(await whoami(url, await refreshed(url, then))).toMatchObject({ status: 200 });
    const now = await signIn(url, "alice");
    expect(await whoami(url, now)).toMatchObject({ status: 200 });
    expect(await whoami(url, await refreshed(url, now))).toMatchObject({ status: 200 });
  });
});

it("guesses that were counted while the clock was ahead are forgotten when the clock is right for their time", {
  timeout: 60_000,
}, async () => {
  await using node = await nodeOn("sqlite");
  const { url } = node;
  await signUp(url, "alice");
  await node.turn(10 * 365 * day);
  const guess = () => call(url, "auth.login", { input: { username: "bob", password: "not the password" } });
  let reason: string | null = null;
  for (let time = 0; time < 25 && reason !== "RATE_LIMITED"; time += 1) ({ reason } = await guess());
  expect(reason).toBe("RATE_LIMITED");

  await node.turn(0);
  const { headers } = await guess();
  const longest = 15 * 60;
  expect(Number(headers.get("retry-after") ?? 0)).toBeLessThanOrEqual(longest);
  using db = new DatabaseSync(node.folder.file("auth.db"), { readOnly: true });
  expect(db.prepare("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
});
