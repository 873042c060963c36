import { decodeProtectedHeader, type JSONWebKeySet } from "jose";
import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { createNetwork } from "../support/network.ts";
import { bearer, refresh, signIn, signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import { sharedDatabase } from "../support/test-database.ts";

async function published(app: TestApp): Promise<(string | undefined)[]> {
  const { keys } = (await (await app.request("/.well-known/jwks.json")).json()) as JSONWebKeySet;
  return keys.map(({ kid }) => kid);
}

const signedBy = ({ accessToken }: { accessToken: string }) => decodeProtectedHeader(accessToken).kid;

describe("key rotation", () => {
  it("publishes the next key before it signs", async () => {
    await using app = await testApp();
    const { keys } = await app.auth.start();
    const [old] = await published(app);
    const { kid, activatesAt } = await keys.rotate();
    expect(await published(app)).toEqual([old, kid]);
    // Longer than verifiers may cache the JWKS.
    const { headers } = await app.request("/.well-known/jwks.json");
    const cachedSeconds = Number(/max-age=(\d+)/.exec(headers.get("cache-control") ?? "")?.[1]);
    expect(activatesAt.getTime() - app.clock.now()).toBeGreaterThan(cachedSeconds * 1_000);

    const before = await signUp(app);
    expect(signedBy(before)).toBe(old);
    await app.clock.advance({ minutes: 10 });
    const after = await refresh(app, before);
    expect(signedBy(after)).toBe(kid);
    for (const session of [before, after]) await bearer(app, session).whoami.query();
  });

  it("keeps the former key until the last token that it signed has expired", async () => {
    await using app = await testApp();
    const { keys } = await app.auth.start();
    const [old] = await published(app);
    const { kid } = await keys.rotate();
    await app.clock.advance({ minutes: 9, seconds: 59 });
    const last = await signUp(app);
    expect(signedBy(last)).toBe(old);
    await app.clock.advance({ minutes: 14, seconds: 59 });
    expect(await published(app)).toEqual([old, kid]);
    await bearer(app, last).whoami.query();

    await app.clock.advance({ minutes: 1 });
    await expectReason(bearer(app, last).whoami.query(), "TOKEN_EXPIRED");
    await app.clock.advance({ minutes: 1 });
    expect(await published(app)).toEqual([kid]);
    expect(await keys.prune()).toBe(1);
    expect(keys.list().map((key) => [key.kid, key.status])).toEqual([[kid, "current"]]);
  });

  it("signs nobody out: a client's next call refreshes if it must", async () => {
    await using app = await testApp();
    const { keys } = await app.auth.start();
    const client = app.client();
    await client.register({ username: "alice", password });
    for (let rotation = 0; rotation < 3; rotation += 1) {
      await keys.rotate();
      await app.clock.advance({ hours: 1 });
      await keys.prune();
      expect(await client.trpc.read.query()).toBe("read");
    }
    expect(client.session.status).toBe("signed-in");
  });

  it("of a compromised key refuses every token from before at once, and clients refresh unnoticed", async () => {
    await using app = await testApp();
    const { keys } = await app.auth.start();
    const network = createNetwork();
    const client = app.client(network.fetch);
    await client.register({ username: "alice", password });
    const session = await signIn(app);
    await bearer(app, session).whoami.query();

    const { kid } = await keys.rotate({ compromised: true });
    expect(await published(app)).toEqual([kid]);
    await expectReason(bearer(app, session).whoami.query(), "TOKEN_INVALID");
    network.sent.length = 0;
    expect(await client.trpc.read.query()).toBe("read");
    expect(network.sent).toEqual(["read", "auth.refresh", "read"]);
    expect(signedBy(await signIn(app))).toBe(kid);
  });

  it("is followed by another node on the same database without a restart", async () => {
    await using shared = await sharedDatabase();
    await using app = await testApp({}, { database: shared.open() });
    await using other = await testApp({}, { database: shared.open() });
    await bearer(other, await signUp(app)).whoami.query();

    const { keys } = await app.auth.start();
    const { kid } = await keys.rotate({ immediately: true });
    const session = await signIn(app);
    expect(signedBy(session)).toBe(kid);
    // Before the feed was read: an unknown key is looked for at once.
    await bearer(other, session).whoami.query();
    expect(await published(other)).toContain(kid);

    const before = await signIn(app);
    await bearer(other, before).whoami.query();
    await app.clock.advance({ seconds: 1 });
    await keys.rotate({ compromised: true });
    await other.clock.advance({ seconds: 1 });
    await expectReason(bearer(other, before).whoami.query(), "TOKEN_INVALID");
  });
});
