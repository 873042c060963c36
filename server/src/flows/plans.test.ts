/** Every statement finds its rows by an index, whatever it is called with: asked of PostgreSQL's planner. */
import pg from "pg";
import { expect, it } from "vitest";
import type { Caller } from "../deps.ts";
import { postgres } from "../store/postgres.ts";
import { emptyPostgres } from "../store/test-support.ts";
import { createTestAuth } from "../testing.ts";
import { keepHouse } from "./housekeeping.ts";
import { login, refresh, register } from "./test-support.ts";

const caller: Caller = { address: "203.0.113.7", userAgent: "test", requestId: null };
const alice = { username: "alice", password: "correct horse battery staple" };

/** A handful of rows, read whole on purpose. */
const small = new Set(["signing_keys", "countersign_migrations"]);

interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly Plans?: readonly Plan[];
}

function scansIn({ "Node Type": type, "Relation Name": table = "", Plans: plans = [] }: Plan): string[] {
  const own = type === "Seq Scan" && !small.has(table) ? [table] : [];
  return [...own, ...plans.flatMap(scansIn)];
}

/** What the server asks, in a life of sign-ins, administration and housekeeping. */
async function statementsOf(url: string): Promise<string[]> {
  const statements = new Set<string>();
  const database = postgres(url, { onStatement: (sql) => statements.add(sql) });
  await using test = await createTestAuth({}, { database });
  const { auth, clock } = test;
  const deps = await auth.start();
  const { refreshToken } = await register(deps, alice, caller);
  await refresh(deps, { refreshToken }, caller);
  const { id } = (await login(deps, alice, caller)).user;
  await login(deps, { ...alice, password: "wrong" }, caller).catch(() => {});
  const own = auth.router.createCaller(await test.asUser("alice"));
  await own.me();
  await own.session();
  const [session] = await own.sessions.list();
  await own.sessions.revoke({ id: session?.id ?? "" });
  const users = auth.usersRouter.createCaller(await test.asUser({ username: "root", roles: ["admin"] }));
  await users.create({ username: "bob", password: alice.password, email: "bob@example.com" });
  await login(deps, { username: "bob@example.com", password: alice.password }, caller);
  await users.list({ search: "b" });
  await users.list({ limit: 1, cursor: "a" });
  await users.setRoles({ id, roles: ["admin"] });
  await users.setPassword({ id, password: "an even better horse battery" });
  await users.disable({ id });
  await users.enable({ id });
  await users.sessions.list({ id });
  await users.sessions.revokeAll({ id });
  const mine = auth.accountRouter.createCaller(await test.asUser("alice"));
  await mine.events({ kinds: ["sign_in"], cursor: `5.${id}` });
  await mine.update({ email: "alice@example.com" });
  const admin = auth.adminRouter.createCaller(await test.asUser({ username: "root", roles: ["admin"] }));
  await admin.events({ kinds: ["sign_in"], accountId: id });
  await admin.events({ before: new Date(clock.now()) });
  await admin.activity();
  await users.setTemporaryPassword({ id });
  await users.remove({ id });
  await auth.accountChanged({ id: "of the application", version: 3, endSessions: true });
  await deps.keys.rotate({ immediately: true });
  await deps.keys.reseal();
  await clock.advance({ days: 400 });
  await keepHouse(deps);
  return [...statements].filter((sql) => /^(select|insert|update|delete) /.test(sql) && !/\bpg_/.test(sql));
}

it("no statement reads a table whole", { timeout: 60_000 }, async () => {
  const url = await emptyPostgres();
  const statements = await statementsOf(url);
  // Where no index can be used, the planner has nothing but the table itself.
  const client = new pg.Client(`${url}?options=-cenable_seqscan%3Doff`);
  await client.connect();
  const scans: string[] = [];
  for (const sql of statements) {
    const { rows } = await client.query(`explain (generic_plan, format json) ${sql}`);
    for (const table of scansIn(rows[0]["QUERY PLAN"][0].Plan)) scans.push(`${table}: ${sql}`);
  }
  await client.end();
  expect(scans).toEqual([]);
  expect(statements.length).toBeGreaterThan(30);
});
