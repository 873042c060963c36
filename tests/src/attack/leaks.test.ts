/** What a process remembers of secrets when it is done with them, and what it tells: searched in its memory, its log, its metrics and its files. */
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { startNode } from "../support/node-process.ts";
import { kill } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { call, signUp, type Tokens, whoami } from "../support/wire.ts";

/** Writes all strings that its memory holds to a file, when it is told to. */
const dumpOnSignal = (file: string) => `
  const v8 = process.getBuiltinModule("node:v8");
  process.on("SIGUSR2", () => { v8.writeHeapSnapshot(${JSON.stringify(file)}); process.stderr.write("dumped\\n"); });`;

/** What an attacker would look for, by what it is. */
interface Planted {
  readonly passwords: readonly string[];
  readonly refreshTokens: readonly string[];
  readonly cookies: readonly string[];
  readonly accessTokens: readonly string[];
  readonly addresses: readonly string[];
}

let planted = 0;
const canary = (what: string) => {
  planted += 1;
  return `canary ${what} ${planted} with forty letters and a half`;
};

/** Signs in and out, in every way there is, right and wrong. */
async function use(url: string): Promise<Planted> {
  const [password, wrong, next, foreign] = ["right", "wrong", "next", "foreign"].map(canary) as [string, ...string[]];
  const address = `canary${planted}@example.com`;
  const refreshTokens: string[] = [];
  const accessTokens: string[] = [];
  const note = (tokens: Tokens) => {
    refreshTokens.push(tokens.refreshToken);
    accessTokens.push(tokens.accessToken);
    return tokens;
  };
  const asked = async (path: string, input: object, token?: string) =>
    (await call(url, path, { input, ...(token !== undefined && { token }) })).data as Tokens;

  const first = note(await asked("auth.register", { username: "alice", password, email: address }));
  await asked("auth.login", { username: "alice", password: wrong });
  await asked("auth.login", { username: address, password: wrong });
  let tokens = note(await asked("auth.login", { username: address, password }));
  for (let time = 0; time < 3; time += 1)
    tokens = note(await asked("auth.refresh", { refreshToken: tokens.refreshToken }));
  await whoami(url, tokens);
  await asked("auth.changePassword", { currentPassword: password, newPassword: next }, first.accessToken);
  await asked("auth.refresh", { refreshToken: `v1.${foreign}` });
  await fetch(`${url}/token`, {
    method: "POST",
    body: new URLSearchParams({ username: "alice", password: `${next}` }),
  });
  const form = await fetch(`${url}/sign-in`, {
    method: "POST",
    redirect: "manual",
    headers: { origin: url },
    body: new URLSearchParams({ username: "alice", password: `${next}` }),
  });
  const cookie = form.headers.get("set-cookie")?.split(";")[0] ?? expect.fail("no cookie");
  await fetch(`${url}/users/me`, { headers: { cookie } });
  await asked("auth.logout", { refreshToken: tokens.refreshToken });
  return {
    passwords: [password, wrong, next, foreign].filter((each) => each !== undefined),
    refreshTokens,
    cookies: [cookie.split("=").slice(1).join("=")],
    accessTokens,
    addresses: [address],
  };
}

it("nothing secret is in memory when it is over, nor in the log, the metrics or the database", {
  timeout: 120_000,
}, async () => {
  await using folder = await temporaryFolder();
  const dump = folder.file("memory.heapsnapshot");
  const { child, server } = startNode(`file:${folder.file("auth.db")}`, {
    env: {
      LOG_LEVEL: "trace",
      COUNTERSIGN_ISSUER: "http://localhost",
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(dumpOnSignal(dump))}`,
    },
  });
  try {
    const node = await server;
    const { url } = node;
    const secrets = await use(url);
    // Others come, and what was read into a buffer is overwritten.
    const bob = await signUp(url, "bob");
    for (let time = 0; time < 200; time += 1) await whoami(url, bob);

    const metrics = await (await fetch(`${url}/metrics`)).text();
    child.kill("SIGUSR2");
    const done = () => node.output().includes("dumped");
    while (!done()) await once(child.stderr, "data");
    const memory = readFileSync(dump, "utf8");
    expect(memory.length).toBeGreaterThan(5_000_000);
    // It would be found if it were there.
    expect(memory).toContain("alice");

    const files = readdirSync(folder.path).filter((name) => name.startsWith("auth.db"));
    const stored = files.map((name) => readFileSync(folder.file(name), "latin1")).join("\n");
    expect(stored).toContain("alice");
    const places = { log: node.output(), metrics, database: stored, memory };
    const { passwords, refreshTokens, cookies, accessTokens, addresses } = secrets;
    const nowhere = { ...places };
    const found = [
      ...find("a password", passwords, nowhere),
      ...find("a refresh token", refreshTokens, nowhere),
      // A node holds what it has proved of a token or a cookie, by its text, for as long as it is good.
      ...find("a cookie", cookies, { log: places.log, metrics, database: stored }),
      ...find("an access token", accessTokens, { log: places.log, metrics, database: stored }),
      ...find("an address", addresses, { log: places.log, metrics }),
    ];
    expect(found).toEqual([]);
  } finally {
    await kill(child);
  }
});

function find(what: string, secrets: readonly string[], places: Readonly<Record<string, string>>): string[] {
  expect(secrets.length, what).toBeGreaterThan(0);
  return Object.entries(places).flatMap(([place, text]) =>
    secrets
      .filter((secret) => text.includes(secret))
      .map((secret) => `${what} is in the ${place}: ${secret.slice(0, 24)}`),
  );
}
