import Sqlite from "better-sqlite3";
import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import type { Db } from "../deps.ts";
import { checkCatalogue } from "./catalogue.ts";
import { migrate } from "./migrate.ts";
import { sqlite } from "./sqlite.ts";
import { readCatalogue } from "./sqlite-catalogue.ts";
import { emptyDatabase, expectStoreError, temporaryFolder } from "./test-support.ts";

async function migrated(): Promise<Db> {
  const db = await emptyDatabase();
  await migrate(db, { now: () => 0 });
  return db;
}

/** Makes a table again with another text, as with an edited dump; its indexes come back. */
async function remake(db: Db, table: string, from: string, to: string): Promise<void> {
  const { rows } = await sql<{ type: string; sql: string }>`
    select type, sql from sqlite_schema where tbl_name = ${table} and sql is not null order by type desc`.execute(db);
  await sql`drop table ${sql.table(table)}`.execute(db);
  for (const row of rows) {
    const text = row.type === "table" ? row.sql.replace(from, to) : row.sql;
    if (row.type === "table") expect(text).not.toBe(row.sql);
    await sql.raw(text).execute(db);
  }
}

test("a database that was just migrated is as expected", async () => {
  await using db = await migrated();
  await checkCatalogue(db);
});

describe("each difference is named", () => {
  const run = (statements: string) => async (db: Db) => {
    for (const statement of statements.split(";")) await sql.raw(statement).execute(db);
  };

  test.each<[change: string, (db: Db) => Promise<unknown>, differences: string[]]>([
    ["a lost table", run("drop table attempts"), ["table attempts is missing"]],
    [
      "a view in a table's place",
      async (db) => {
        await sql`drop table attempts`.execute(db);
        await sql`create view attempts as select 'a' as key, 1 as count, 1 as expires_at`.execute(db);
      },
      ["table attempts is missing"],
    ],
    ["a lost column", run("alter table accounts drop column roles"), ["table accounts lacks column roles"]],
    [
      "a renamed column",
      run("alter table audit_events rename column details to notes"),
      [
        "table audit_events lacks column details",
        "table audit_events has a column notes that needs a value and that this version does not know",
      ],
    ],
    [
      "another type",
      (db) => remake(db, "sessions", '"salt" blob', '"salt" text'),
      ["column sessions.salt is TEXT instead of BLOB"],
    ],
    [
      "NULL where none was",
      (db) => remake(db, "sessions", '"scope" text not null', '"scope" text'),
      ["column sessions.scope allows NULL"],
    ],
    [
      "no NULL where it was",
      (db) => remake(db, "accounts", '"disabled_at" integer', '"disabled_at" integer not null'),
      ["column accounts.disabled_at does not allow NULL"],
    ],
    [
      "a default",
      (db) => remake(db, "accounts", '"roles" text not null', `"roles" text not null default '["admin"]'`),
      [`column accounts.roles has default '["admin"]' instead of none`],
    ],
    [
      "a generated column",
      (db) => remake(db, "feed_events", '"version" integer', '"version" integer as (1)'),
      ["column feed_events.version is generated"],
    ],
    [
      "a lost primary key",
      (db) => remake(db, "attempts", '"key" text not null primary key', '"key" text not null'),
      ["column attempts.key is not in the primary key"],
    ],
    [
      "a longer primary key",
      run(`drop table attempts;
        create table attempts (key text not null, count integer not null, expires_at integer not null, extra text not null, primary key (extra, key));
        create index attempts_expires_at on attempts (expires_at)`),
      [
        "column attempts.key has another place in the primary key",
        "table attempts has a column extra in its primary key that this version does not know",
      ],
    ],
    [
      "ids that come back",
      (db) => remake(db, "feed_events", " autoincrement", ""),
      ["table feed_events may use an id twice (no AUTOINCREMENT)"],
    ],
    ["a lost index", run("drop index sessions_account_id"), ["index sessions_account_id is missing"]],
    [
      "an index that is no longer unique",
      run("drop index accounts_username_key; create index accounts_username_key on accounts (username_key)"),
      ["index accounts_username_key is not unique"],
    ],
    [
      "an index that became unique",
      run("drop index sessions_account_id; create unique index sessions_account_id on sessions (account_id)"),
      ["index sessions_account_id is unique"],
    ],
    [
      "an index on other columns",
      run(
        "drop index audit_events_account_id_at; create index audit_events_account_id_at on audit_events (at, account_id)",
      ),
      ["index audit_events_account_id_at is on (at, account_id) instead of (account_id, at)"],
    ],
    [
      "an index in another order and collation",
      run(
        "drop index accounts_email_key; create unique index accounts_email_key on accounts (email_key collate nocase desc)",
      ),
      ["index accounts_email_key is on (email_key collate NOCASE desc) instead of (email_key)"],
    ],
    [
      "an index on part of the rows",
      run(
        "drop index accounts_username_key; create unique index accounts_username_key on accounts (username_key) where disabled_at is null",
      ),
      ["index accounts_username_key leaves rows out"],
    ],
    [
      "a column that needs a value",
      (db) => remake(db, "sessions", '"user_agent" text', '"user_agent" text, "country" text not null'),
      ["table sessions has a column country that needs a value and that this version does not know"],
    ],
    [
      "a unique index of somebody else",
      run("create unique index one_session_each on sessions (account_id)"),
      ["table sessions has a unique index one_session_each on (account_id) that this version does not know"],
    ],
    [
      "a unique constraint of somebody else",
      (db) => remake(db, "sessions", '"address" text', '"address" text unique'),
      ["table sessions has a unique index sqlite_autoindex_sessions_2 on (address) that this version does not know"],
    ],
    [
      "several at once",
      run("drop table signing_keys; drop index feed_events_created_at; alter table sessions drop column user_agent"),
      [
        "index feed_events_created_at is missing",
        "table sessions lacks column user_agent",
        "table signing_keys is missing",
      ],
    ],
  ])("%s", async (_change, change, differences) => {
    await using db = await migrated();
    await change(db);
    const error = await expectStoreError(checkCatalogue(db), "SCHEMA_DIFFERS");
    expect(error.differences).toEqual(differences);
    for (const difference of differences) expect(error.message).toContain(difference);
  });
});

test("what an application or the next release adds is fine, as long as our statements work", async () => {
  await using db = await migrated();
  for (const statement of [
    "create table notes (id integer primary key, text text not null, unique (text))",
    "create index accounts_created_at on accounts (created_at)",
    "alter table accounts add column nickname text",
    "alter table accounts add column plan text not null default 'free'",
  ]) {
    await sql.raw(statement).execute(db);
  }
  await remake(db, "attempts", '"count" integer', '"shouted" text not null as (upper("key")), "count" integer');
  await checkCatalogue(db);
});

test("a catalogue that cannot be read is a StoreError", async () => {
  using folder = temporaryFolder();
  await using db = await sqlite(folder.at("app.db")).open();
  await migrate(db, { now: () => 0 });
  const writer = new Sqlite(folder.at("app.db"));
  writer.unsafeMode();
  writer.exec(
    "pragma writable_schema = on; update sqlite_schema set sql = 'create tabel broken' where name = 'sessions'",
  );
  // So that the other connection reads the schema again.
  writer.exec("pragma schema_version = 1000");
  writer.close();
  await expectStoreError(checkCatalogue(db), "NOT_A_DATABASE");
});

test("a catalogue can be read whole", async () => {
  await using db = await migrated();
  const catalogue = await readCatalogue(db);
  expect([...catalogue.keys()]).toEqual([
    "account_deletions",
    "accounts",
    "attempts",
    "audit_events",
    "countersign_migrations",
    "feed_events",
    "sessions",
    "signing_keys",
    "tallies",
  ]);
});
