import { AuthError } from "@countersign/shared";
import type { AccountId, SessionId } from "@countersign/shared/schemas";
import { sql } from "kysely";
import pg from "pg";
import { describe, expect, it, test, vi } from "vitest";
import type { Db } from "../deps.ts";
import { startFeed } from "../engine/feed.ts";
import { describeError } from "../failure.ts";
import { findAccountByKey, insertAccount } from "./accounts.ts";
import { countAttempts } from "./attempts.ts";
import { checkCatalogue } from "./catalogue.ts";
import { appendFeedEvent } from "./feed-events.ts";
import { migrate, migrationStatus } from "./migrate.ts";
import { type PostgresOptions, postgres } from "./postgres.ts";
import { fromDriver, isAboutConnection } from "./postgres-errors.ts";
import { emptyPostgres, expectStoreError } from "./test-support.ts";
import { transact } from "./transact.ts";
import { UniqueViolation } from "./unique-violation.ts";

const now = () => Date.UTC(2026, 0, 1, 12, 0, 0, 123);

async function migrated(options?: PostgresOptions): Promise<Db> {
  const db = await postgres(await emptyPostgres(), options).open();
  await migrate(db, { now });
  return db;
}

const account = (username: string) => ({
  id: crypto.randomUUID() as AccountId,
  username,
  username_key: username,
  email: null,
  email_key: null,
  password_hash: null,
  roles: '["admin"]',
  version: 1,
  disabled_at: null,
  password_expires_at: null,
  temporary_hash: null,
  created_at: now(),
  updated_at: now(),
});

describe("a database that was just migrated", () => {
  it("is as expected, and says when it was migrated", async () => {
    await using db = await migrated();
    await checkCatalogue(db);
    expect(await migrationStatus(db)).toEqual([
      { id: 1, name: "initial", state: "applied", appliedAt: now() },
      { id: 2, name: "account-life", state: "applied", appliedAt: now() },
    ]);
    expect(await migrate(db, { now })).toEqual([]);
  });

  it("has types that fit, and gives back what it was given", async () => {
    await using db = await migrated();
    const row = account("alice");
    await insertAccount(db, row);
    expect(await findAccountByKey(db, "username_key", "alice")).toEqual(row);
    const { rows } = await sql<{ name: string; type: string }>`
      select column_name as name, data_type as type from information_schema.columns
      where table_name in ('accounts', 'sessions') and column_name in ('id', 'roles', 'created_at', 'salt')
      order by table_name, column_name`.execute(db);
    expect(rows.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "created_at timestamp with time zone",
      "id uuid",
      "roles jsonb",
      "created_at timestamp with time zone",
      "id uuid",
      "salt bytea",
    ]);
  });

  it("orders names by their code points, whatever the language of the database", async () => {
    await using db = await migrated();
    for (const name of ["a", "B", "ä", "Z", "_", "z"]) await insertAccount(db, account(name));
    const rows = await db.selectFrom("accounts").select("username_key").orderBy("username_key").execute();
    expect(rows.map(({ username_key }) => username_key)).toEqual(["B", "Z", "_", "a", "z", "ä"]);
  });
});

describe("each difference from what is expected is named", () => {
  test.each([
    ["drop table attempts", ["table attempts is missing"]],
    ["alter table accounts drop column roles", ["table accounts lacks column roles"]],
    ["alter table accounts alter roles type text", ["column accounts.roles is TEXT instead of JSONB"]],
    [
      'alter table accounts alter username_key type text collate "default"',
      ["column accounts.username_key is TEXT instead of TEXT collate C"],
    ],
    ["alter table sessions alter scope drop not null", ["column sessions.scope allows NULL"]],
    ["alter table accounts alter disabled_at set not null", ["column accounts.disabled_at does not allow NULL"]],
    ["alter table accounts alter version set default 1", ["column accounts.version has default 1 instead of none"]],
    ["alter table attempts drop constraint attempts_pkey", ["column attempts.key is not in the primary key"]],
    ["alter table feed_events alter id drop identity", ["table feed_events may use an id twice (no AUTOINCREMENT)"]],
    [
      "alter table feed_events alter id set cache 100",
      ["table feed_events gives ids in blocks, which readers of the feed would miss (set CACHE 1)"],
    ],
    ["drop index sessions_account_id", ["index sessions_account_id is missing"]],
    [
      "drop index sessions_account_id; create index sessions_account_id on sessions (account_id desc) where revoked_at is null",
      [
        "index sessions_account_id leaves rows out",
        "index sessions_account_id is on (account_id desc) instead of (account_id)",
      ],
    ],
    [
      "alter table sessions add country text not null",
      ["table sessions has a column country that needs a value and that this version does not know"],
    ],
    [
      "create unique index one_each on sessions (account_id)",
      ["table sessions has a unique index one_each on (account_id) that this version does not know"],
    ],
  ])("%s", async (change, differences) => {
    await using db = await migrated();
    for (const statement of change.split(";")) await sql.raw(statement).execute(db);
    expect((await expectStoreError(checkCatalogue(db), "SCHEMA_DIFFERS")).differences).toEqual(differences);
  });

  it("and what the next release adds is fine", async () => {
    await using db = await migrated();
    await sql`alter table sessions add country text, add plan text not null default 'free'`.execute(db);
    await sql`create table notes (id bigint primary key, text text unique)`.execute(db);
    await checkCatalogue(db);
  });
});

describe("what goes wrong", () => {
  const refused = async (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => null,
      (error: unknown) => error,
    );

  it("is said without the password when the database cannot be reached", async () => {
    const url = new URL(await emptyPostgres());
    for (const [change, code] of [
      [{ password: "hunter2" }, "28P01"],
      [{ pathname: "nowhere" }, "3D000"],
      [{ port: "1" }, "ECONNREFUSED"],
    ] as const) {
      const wrong = new URL(url);
      Object.assign(wrong, change);
      const error = await expectStoreError(postgres(wrong.href).open(), "CANNOT_OPEN");
      expect(error.message).toContain("Check DATABASE_URL");
      expect(error.message).not.toMatch(/hunter2|postgres:postgres/);
      expect(error.cause).toMatchObject({ code });
    }
  });

  it("is said of a certificate that is not there", async () => {
    const url = `${await emptyPostgres()}?sslmode=verify-full&sslrootcert=/nowhere/root.pem`;
    const error = await expectStoreError(postgres(url).open(), "CANNOT_OPEN");
    expect(error.message).toContain("/nowhere/root.pem");
    expect(error.message).not.toContain("postgres:postgres");
  });

  it("says which right is missing where no temporary tables may be made", async () => {
    const url = new URL(await emptyPostgres());
    const name = url.pathname.slice(1);
    await using owner = await postgres(url.href).open();
    for (const statement of [
      `create role ${name} login password 'x'`,
      `revoke temporary on database ${name} from public`,
      `grant create, usage on schema public to ${name}`,
    ]) {
      await sql.raw(statement).execute(owner);
    }
    await using db = await postgres(Object.assign(new URL(url), { username: name, password: "x" }).href).open();
    await migrate(db, { now });
    expect((await expectStoreError(checkCatalogue(db), "READ_ONLY")).message).toContain("GRANT TEMPORARY ON DATABASE");
  });

  it("another schema's tables are not taken for its own", async () => {
    const url = await emptyPostgres();
    await using owner = await postgres(url).open();
    await migrate(owner, { now });
    await sql`create schema other`.execute(owner);
    await using db = await postgres(`${url}?options=-csearch_path%3Dother`).open();
    expect(await migrationStatus(db)).toMatchObject([{ name: "initial", state: "pending" }, { state: "pending" }]);
    await migrate(db, { now });
    await checkCatalogue(db);
  });

  it("says so when the database can only be read", async () => {
    const url = `${await emptyPostgres()}?options=-cdefault_transaction_read_only%3Don`;
    await using db = await postgres(url).open();
    await expectStoreError(migrate(db, { now }), "READ_ONLY");
  });

  it("a second row of the same name is known by its column, and its values go nowhere", async () => {
    await using db = await migrated();
    await insertAccount(db, account("alice"));
    const error = await refused(insertAccount(db, account("alice")));
    expect(error).toBeInstanceOf(UniqueViolation);
    expect(error).toMatchObject({ table: "accounts", column: "username_key" });
    expect(JSON.stringify((error as Error).cause, Object.getOwnPropertyNames((error as Error).cause))).not.toContain(
      "alice",
    );
  });

  it("a statement that takes too long is given up", async () => {
    await using db = await migrated({ statementTimeoutMs: 100 });
    const error = await refused(sql`select pg_sleep(5)`.execute(db));
    expect(error).toBeInstanceOf(AuthError);
    expect(error).toMatchObject({ reason: "UNAVAILABLE", cause: { code: "57014" } });
    // The connection goes on.
    await sql`select 1`.execute(db);
  });

  it("a bug looks like a bug", async () => {
    await using db = await migrated();
    expect(await refused(sql`select * from nowhere`.execute(db))).toMatchObject({ code: "42P01" });
  });
});

describe("transactions", () => {
  it("that read what others write meanwhile begin anew, and lose nothing", async () => {
    await using db = await migrated();
    await insertAccount(db, account("counter"));
    let runs = 0;
    await Promise.all(
      Array.from({ length: 8 }, () =>
        transact(db, async (trx) => {
          runs += 1;
          const row = await findAccountByKey(trx, "username_key", "counter");
          await trx
            .updateTable("accounts")
            .set({ version: (row?.version ?? 0) + 1 })
            .execute();
        }),
      ),
    );
    expect((await findAccountByKey(db, "username_key", "counter"))?.version).toBe(9);
    expect(runs).toBeGreaterThan(8);
  });

  it("that only count wait for each other", async () => {
    await using db = await migrated();
    let runs = 0;
    await Promise.all(
      Array.from({ length: 50 }, () =>
        transact(
          db,
          (trx) => {
            runs += 1;
            return countAttempts(trx, { key: "one", now: now(), windowMs: 1_000 });
          },
          { isolation: "read committed" },
        ),
      ),
    );
    expect(await countAttempts(db, { key: "one", now: now(), windowMs: 1_000 })).toMatchObject({ count: 51 });
    expect(runs).toBe(50);
  });

  it("that take too long are cut: nobody waits for what they would commit", async () => {
    await using db = await migrated();
    const slow = db.transaction().execute(async (trx) => {
      await insertAccount(trx, account("slow"));
      using clock = vi.spyOn(performance, "now");
      clock.mockReturnValue(performance.timeOrigin + 11_000);
      await insertAccount(trx, account("slower"));
    });
    expect(await slow.catch((error: unknown) => error)).toMatchObject({ reason: "UNAVAILABLE" });
    expect(await findAccountByKey(db, "username_key", "slow")).toBeNull();

    using clock = vi.spyOn(performance, "now");
    const lateEnd = db.transaction().execute(async (trx) => {
      await insertAccount(trx, account("late"));
      clock.mockReturnValue(performance.timeOrigin + 11_000);
    });
    expect(await lateEnd.catch((error: unknown) => error)).toMatchObject({ reason: "UNAVAILABLE" });
    clock.mockRestore();
    expect(await findAccountByKey(db, "username_key", "late")).toBeNull();
  });

  it("prepare each statement once a connection", async () => {
    await using db = await migrated({ poolSize: 1 });
    for (const name of ["a", "b", "c"]) await findAccountByKey(db, "username_key", name);
    const { rows } = await sql<{ name: string }>`
      select name from pg_prepared_statements where statement like '%from "accounts"%'`.execute(db);
    expect(rows).toHaveLength(1);
  });

  it("prepare a statement anew that a pooler has lost", async () => {
    await using db = await migrated({ poolSize: 1 });
    await findAccountByKey(db, "username_key", "alice");
    await sql`deallocate all`.execute(db);
    expect(await findAccountByKey(db, "username_key", "alice")).toBeNull();
    await sql`deallocate all`.execute(db);
    expect(await transact(db, (trx) => findAccountByKey(trx, "username_key", "alice"))).toBeNull();
  });

  it("read times as they are, whatever the style of the database", async () => {
    const url = await emptyPostgres();
    const client = new pg.Client(url);
    await client.connect();
    await client.query(
      "do $$ begin execute format('alter database %I set datestyle = German', current_database()); end $$",
    );
    await client.end();
    await using db = await postgres(url).open();
    await migrate(db, { now });
    await insertAccount(db, account("alice"));
    expect((await findAccountByKey(db, "username_key", "alice"))?.created_at).toBe(now());
    // Behind a pooler, what was set may be another's. No guess is made.
    await sql`set datestyle = German`.execute(db);
    await expect(findAccountByKey(db, "username_key", "alice")).rejects.toMatchObject({ reason: "UNAVAILABLE" });
  });

  it("prepare a statement anew after another node's migration, within transactions too", async () => {
    const url = await emptyPostgres();
    await using db = await postgres(url, { poolSize: 1 }).open();
    await using other = await postgres(url).open();
    await migrate(db, { now });
    await insertAccount(db, account("alice"));
    const read = () => findAccountByKey(db, "username_key", "alice");
    await read();
    await sql`alter table accounts add column nickname text`.execute(other);
    expect(await read()).toMatchObject({ username: "alice", nickname: null });
    await sql`alter table accounts drop column nickname`.execute(other);
    expect(await transact(db, (trx) => findAccountByKey(trx, "username_key", "alice"))).not.toHaveProperty("nickname");
  });
});

it.each([
  "mysql://root:hunter2@db/x",
  "postgres://db",
  "postgres://u:12/hunter2@host/db",
  "postgres://u:hunter2@:port/x",
  "",
])('"%s" names no PostgreSQL, and is not repeated', (url) => {
  expect(() => postgres(url)).toThrow(new TypeError('"url" must be as in "postgres://user:password@host:5432/name"'));
});

describe("the feed", () => {
  const follow = async (url: string) => {
    const line = (await postgres(url).openFeedLine?.()) ?? expect.fail("PostgreSQL has one");
    const feed = await startFeed({
      db: line.db,
      line,
      now: Date.now,
      horizonMs: 900_000,
      onKeysChanged: async () => {},
      onMoved: () => {},
    });
    const isRevoked = (session: string) =>
      feed.objectionTo({ sessionId: session as SessionId, accountId: "a" as AccountId, version: 1 }) !== null;
    return { feed, isRevoked, [Symbol.asyncDispose]: () => line.close() };
  };
  const revoke = "insert into feed_events (kind, subject, created_at) values ('session_revoked', $1, now())";

  it("misses nothing that was not committed yet when a node started", async () => {
    const url = await emptyPostgres();
    await using db = await postgres(url).open();
    await migrate(db, { now });
    const slow = new pg.Client(url);
    await slow.connect();
    await slow.query("begin");
    await slow.query(revoke, ["late"]);
    await appendFeedEvent(db, { kind: "session_revoked", subject: "other", version: null }, Date.now());
    await using node = await follow(url);
    expect([node.isRevoked("other"), node.isRevoked("late")]).toEqual([true, false]);
    await slow.query("commit");
    await slow.end();
    await node.feed.catchUp();
    expect(node.isRevoked("late")).toBe(true);
  });

  it("begins anew when its connection was made again: who answers now may give ids that were given before", async () => {
    const url = await emptyPostgres();
    await using db = await postgres(url).open();
    await migrate(db, { now });
    for (let index = 0; index < 5; index += 1) {
      await appendFeedEvent(db, { kind: "session_revoked", subject: `s${index}`, version: null }, Date.now());
    }
    await using node = await follow(url);
    await node.feed.catchUp();
    // As a replica that lagged, and is the primary now.
    await sql`delete from feed_events where id > 2`.execute(db);
    await sql`alter table feed_events alter column id restart with 3`.execute(db);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query not like '%pg_stat_activity%'`.execute(
      db,
    );
    await sql.raw(revoke.replace("$1", "'after'")).execute(db);
    await vi.waitFor(async () => {
      await node.feed.catchUp();
      expect(node.isRevoked("after")).toBe(true);
    });
    expect(node.feed.progress().highest).toBe(3);
  });
});

it("a server that speaks German says which name is taken, all the same", () => {
  const error = new pg.DatabaseError("doppelter Schlüsselwert verletzt Unique-Constraint", 1, "error");
  Object.assign(error, {
    code: "23505",
    severity: "FEHLER",
    table: "accounts",
    constraint: "accounts_email_key",
    detail: "Schlüssel »(email_key)=(a@b.c)« existiert bereits.",
  });
  expect(fromDriver(error)).toMatchObject({ name: "UniqueViolation", table: "accounts", column: "email_key" });
});

it.each([
  ["57P01", true],
  ["25006", true],
  ["53300", true],
  ["57014", false],
  ["23505", false],
])("after %s, the connection is given up: %s", (code, isGivenUp) => {
  const error = Object.assign(new pg.DatabaseError("", 1, "error"), { code, severity: "FATALE" });
  expect(isAboutConnection(error)).toBe(isGivenUp);
});

it("the log has PostgreSQL's code, or the driver's reason as one, and no sentence", () => {
  const coded = Object.assign(new pg.DatabaseError("sorry, hunter2", 1, "error"), { code: "53300" });
  const uncoded = new Error("timeout exceeded when trying to connect");
  expect(describeError(fromDriver(coded))).toMatchObject({ cause: { type: "DatabaseError", code: "53300" } });
  expect(describeError(fromDriver(uncoded))).toMatchObject({ cause: { type: "Error", code: "NO_CONNECTION_FREE" } });
  expect(JSON.stringify(describeError(fromDriver(coded)))).not.toContain("hunter2");
});
