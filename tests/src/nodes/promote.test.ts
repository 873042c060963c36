/** Moving house: from SQLite to PostgreSQL while people use it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { createAuthClient } from "@countersign/client";
import { createVerifier } from "@countersign/server/verifier";
import pg from "pg";
import { expect, it, vi } from "vitest";
import { balancer } from "../support/balancer.ts";
import { fleet } from "../support/fleet.ts";
import { createDatabase } from "../support/test-database.ts";
import type { TestRouter } from "../support/test-router.ts";
import { call, password, refresh, signIn, signOut, type Tokens, whoami } from "../support/wire.ts";
import { type Workplace, workplace } from "../support/workplace.ts";

vi.setConfig({ testTimeout: 180_000 });

const manySessions = 20_000;

/** An SQLite with an account, and so many sessions that copying them takes a while. */
async function filledSqlite(place: Workplace): Promise<string> {
  const location = `file:${place.at("auth.db")}`;
  await place.json(["migrate", "up"], { env: { DATABASE_URL: location } });
  using db = new DatabaseSync(place.at("auth.db"));
  db.exec(`
    insert into accounts (id, username, username_key, roles, version, created_at, updated_at)
      values ('01990000-0000-7000-8000-000000000000', 'Many', 'many', '["b", "a"]', 3, 1, 2);
    with recursive n(i) as (select 1 union all select i + 1 from n where i < ${manySessions})
      insert into sessions (id, account_id, client_id, generation, salt, scope, amr, auth_time, created_at, rotated_at, expires_at, ends_at)
      select printf('01990000-0000-7000-8000-%012d', i), '01990000-0000-7000-8000-000000000000', 'web', i, randomblob(16), '', 'pwd', 1, 1, 1,
        4000000000000 + i, 5000000000000 from n;
    insert into audit_events (id, at, kind, details)
      values ('01990000-0000-7000-8000-000000000001', 5, 'odd', '{"z": [1, {"b": null, "a": "ü"}], "a": 1.5}');`);
  return location;
}

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it("200 clients stay signed in while everything moves from SQLite to PostgreSQL under them", async () => {
  await using place = workplace();
  const databaseUrl = await createDatabase({ isEmpty: true });
  const env = { COUNTERSIGN_ACCESS_TTL: "4s", COUNTERSIGN_TRUSTED_PROXIES: "127.0.0.1" };
  await using servers = await fleet([{ env }], { databaseUrl: await filledSqlite(place) });
  const old = servers.nodes[0] ?? expect.fail("there is a server");
  const port = await freePort();
  const next = `http://127.0.0.1:${port}`;
  await using front = await balancer([old.url, next]);
  await vi.waitFor(() => expect(front.isReady(next)).toBe(false));

  for (let index = 0; index < 20; index += 1) {
    const input = { username: `person-${index}`, password };
    await call(old.url, "auth.register", { input, headers: { "x-forwarded-for": `198.51.100.${index}` } });
  }
  const signedOut: unknown[] = [];
  const clients = Array.from({ length: 200 }, () => {
    const client = createAuthClient<TestRouter>({ url: `${front.url}/trpc`, storage: "memory" });
    client.subscribe((event) => event.type === "signed-out" && signedOut.push(event));
    return client;
  });
  for (const [index, client] of clients.entries()) await client.login({ username: `person-${index % 20}`, password });
  const whoTheyAre = clients.map(({ session }) => session.status === "signed-in" && session.user.username);

  // Whoever is signed in goes on calling; some sign up and out meanwhile.
  let isOver = false;
  const calls = { answered: 0, failed: 0 };
  const users = clients.map(async (client, index) => {
    await sleep(index * 5);
    while (!isOver) {
      await client.trpc.whoami.query().then(
        () => (calls.answered += 1),
        () => (calls.failed += 1),
      );
      await sleep(1_000);
    }
  });
  const joined: string[] = [];
  const left: Tokens[] = [];
  /** Of somebody who is signed in to the last. */
  let newest = await signIn(old.url, "person-0");
  async function comeAndGo(index: number): Promise<void> {
    const username = `joined-${index}`;
    const headers = { "x-forwarded-for": `203.0.113.${index % 250}` };
    const { reason } = await call(old.url, "auth.register", { input: { username, password }, headers });
    if (reason !== null) return;
    joined.push(username);
    const session = await signIn(old.url, username);
    if ((await signOut(old.url, session)).reason === null) left.push(session);
    const { reason: refusal, data } = await refresh(old.url, newest);
    if (refusal === null) newest = data as Tokens;
  }
  const comingAndGoing = (async () => {
    // From the switch on, the old server refuses, and then it is gone.
    for (let index = 0; !isOver; index += 1) await comeAndGo(index).catch(() => sleep(50));
  })();

  // Another service follows the feed throughout.
  let issuerUrl = old.url;
  using followers = new DisposableStack();
  const verifier = createVerifier({
    issuer: "https://fleet.example",
    audience: "https://fleet.example",
    jwksUri: `${front.url}/.well-known/jwks.json`,
    feed: true,
    fetch: (input, init) => fetch(String(input).replace(front.url, issuerUrl), init),
  });
  followers.defer(() => verifier.close());
  const early = await signIn(old.url, "person-0");
  expect(await verifier.verify(early.accessToken)).toMatchObject({ username: "person-0" });

  const moved = (await place.json(["promote", "--to", databaseUrl], {
    env: { DATABASE_URL: `file:${place.at("auth.db")}` },
  })) as { movedTo: string; changed: number; heldMs: number; tables: Record<string, { rows: number }> };
  expect(moved.tables).toMatchObject({ sessions: { rows: expect.any(Number) } });
  expect(moved.tables.sessions?.rows).toBeGreaterThan(manySessions);
  expect(moved.changed).toBeGreaterThan(0);
  expect(moved.heldMs).toBeLessThan(5_000);

  // The old one refuses, and says why, to whoever asks.
  const problem = "Everything was moved to another database. Start the server on that one.";
  await vi.waitFor(async () => expect(await whoami(old.url, newest)).toMatchObject({ status: 503 }), {
    timeout: 1_500,
  });
  expect(await (await fetch(`${old.url}/readyz`)).json()).toMatchObject({ problem });
  expect(await call(old.url, "auth.feedSnapshot")).toMatchObject({ status: 503, reason: "UNAVAILABLE" });
  expect(old.output()).toContain("everything was moved to postgres://");
  const onTheOld = { env: { DATABASE_URL: `file:${place.at("auth.db")}` } };
  expect(await place.run(["migrate", "up"], onTheOld)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`Everything in this database was moved to ${moved.movedTo}`),
  });

  const node = await servers.add({ env: { ...env, PORT: String(port) }, databaseUrl });
  issuerUrl = next;
  old.signal("SIGTERM");
  await vi.waitFor(() => expect(front.isReady(next)).toBe(true), { timeout: 5_000 });
  const failedUntilThen = calls.failed;
  await sleep(6_000);
  isOver = true;
  await Promise.all([...users, comingAndGoing]);

  expect(signedOut).toEqual([]);
  expect(calls.answered).toBeGreaterThan(1_000);
  expect(calls.failed).toBeLessThanOrEqual(failedUntilThen + clients.length);
  expect(await Promise.all(clients.map((client) => client.trpc.whoami.query()))).toHaveLength(200);
  expect(clients.map(({ session }) => session.status === "signed-in" && session.user.username)).toEqual(whoTheyAre);

  // What was answered is there, and what was over stays so.
  expect(joined.length).toBeGreaterThan(5);
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const { rows } = await client.query("select username from accounts where username like 'joined-%'");
  expect(rows.map(({ username }) => username)).toEqual(expect.arrayContaining(joined));
  const { rows: many } = await client.query("select roles::text, version from accounts where username = 'Many'");
  expect(many).toEqual([{ roles: '["b", "a"]', version: "3" }]);
  await client.end();
  for (const session of left) {
    expect(await call(node.url, "auth.refresh", { input: { refreshToken: session.refreshToken } })).toMatchObject({
      reason: "SESSION_REVOKED",
    });
  }

  // The feed went on where it was.
  const late = await signIn(node.url, "person-1");
  expect(await verifier.verify(late.accessToken)).toMatchObject({ username: "person-1" });
  await signOut(node.url, late);
  await vi.waitFor(
    () => expect(verifier.verify(late.accessToken)).rejects.toMatchObject({ reason: "SESSION_REVOKED" }),
    { timeout: 3_000, interval: 20 },
  );
  process.stdout.write(
    `promoted: writes waited for ${Math.round(moved.heldMs)} ms, ${moved.changed} rows changed meanwhile; ${calls.answered} calls answered, ${calls.failed} failed, nobody signed out\n`,
  );
});
