import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { tcpProxy } from "../support/tcp-proxy.ts";
import { createDatabase } from "../support/test-database.ts";
import { call, password } from "../support/wire.ts";
import { type Workplace, workplace } from "../support/workplace.ts";

const production = {
  NODE_ENV: "production",
  COUNTERSIGN_SECRET: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
  COUNTERSIGN_ISSUER: "https://auth.example",
};

/** Waits until what is copied is noted in the SQLite. */
async function untilItMoves(place: Workplace): Promise<void> {
  while (place.query("select 1 from sqlite_master where name = 'countersign_changes'").length === 0) await sleep(10);
}

function fill(place: Workplace): void {
  using db = new DatabaseSync(place.at("data", "countersign.db"));
  db.exec(`
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 10000)
      insert into audit_events (id, at, kind, details) select printf('01990000-0000-7000-8000-%012d', i), 5, 'odd', '{}' from n`);
}

it("says what it did, and what to do next", async () => {
  await using place = workplace();
  await place.json(["migrate", "up"]);
  const url = await createDatabase({ isEmpty: true });
  const { code, stdout, stderr } = await place.run(["promote", "--to", url]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^TABLE +ROWS +SHA-256, THE SAME ON BOTH SIDES\naccounts +0 +0{16}\n/);
  expect(stdout).toMatch(
    /\n0 rows changed meanwhile, and are there too\. Writes waited for \d+ ms\.\nEverything is in postgres:/,
  );
  expect(stdout).not.toContain(`:${new URL(url).password}@`);
  expect(await place.run(["promote", "--to", url])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Everything in this database was moved to postgres://"),
  });
  expect((await place.run(["doctor"])).stdout).toContain(
    "problem  schema         Everything in this database was moved to",
  );
  // It can still be read, and what is made of it is a database like any other.
  await place.json(["export", place.at("all.jsonl")]);
  const again = { DATABASE_URL: `file:${place.at("again.db")}` };
  expect(await place.json(["import", place.at("all.jsonl")], { env: again })).toMatchObject({ feed_events: 0 });
  expect(await place.json(["migrate", "up"], { env: again })).toEqual({ applied: [] });
});

it("is told what cannot be", async () => {
  await using place = workplace();
  const url = await createDatabase();
  expect(await place.run(["promote", "--to", url])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^There is no database at /),
  });
  await place.json(["migrate", "up"]);
  for (const [args, env, message] of [
    [[], {}, "required option '--to <url>'"],
    [["--to", "mysql://root:hunter2@host/name"], {}, "--to must be as in postgres://user:password@host:5432/name"],
    [["--to", url], { DATABASE_URL: url }, "The database is on PostgreSQL already"],
    [["--to", url], { DATABASE_URL: ":memory:" }, "DATABASE_URL names a database in memory"],
  ] as const) {
    const { code, stderr } = await place.run(["promote", ...args], { env });
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).not.toContain("hunter2");
  }
});

it("broken off by hand, by the network or by a kill, the server goes on, and the next run moves everything", async () => {
  await using place = workplace();
  const server = await place.serve(production);
  fill(place);
  const url = await createDatabase({ isEmpty: true });
  await using line = await tcpProxy(url);
  const signUp = (username: string) => call(server.url, "auth.register", { input: { username, password } });

  line.delayMs = 50;
  const byHand = place.begin(["promote", "--to", line.url], { env: production });
  await untilItMoves(place);
  byHand.signal("SIGINT");
  expect(await byHand.ended).toMatchObject({
    code: 1,
    stderr: "Broken off. The server goes on with the SQLite as before; run it again when you like.\n",
  });
  expect(await signUp("after-hand")).toMatchObject({ status: 200 });

  const byNetwork = place.begin(["promote", "--to", line.url], { env: production });
  await untilItMoves(place);
  // A line that comes back at once is nothing to a connection that was idle.
  line.isDown = true;
  line.cut();
  expect(await byNetwork.ended).toMatchObject({
    code: 1,
    stderr: "The sign-in service cannot reach its database. Try again in a few seconds.\n",
  });
  expect(await signUp("after-network")).toMatchObject({ status: 200 });
  line.isDown = false;

  const byKill = place.begin(["promote", "--to", line.url], { env: production });
  await untilItMoves(place);
  byKill.signal("SIGKILL");
  await byKill.ended;
  expect(await signUp("after-kill")).toMatchObject({ status: 200 });

  line.delayMs = 0;
  const moved = await place.json(["promote", "--to", url], { env: production });
  expect(moved).toMatchObject({ tables: { accounts: { rows: 3 } } });
  expect(await signUp("too-late")).toMatchObject({ status: 503, reason: "UNAVAILABLE" });
  const next = await place.serve({ ...production, DATABASE_URL: url });
  for (const username of ["after-hand", "after-network", "after-kill"]) {
    expect(await call(next.url, "auth.login", { input: { username, password } })).toMatchObject({ status: 200 });
  }
});
