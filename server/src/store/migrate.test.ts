import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import Sqlite from "better-sqlite3";
import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import type { Db } from "../deps.ts";
import { type MigrationProgress, migrate, migrationStatus } from "./migrate.ts";
import { migrations as ours } from "./migrations/index.ts";
import type { Migration } from "./migrations/migration.ts";
import { sqlite } from "./sqlite.ts";
import { emptyDatabase, expectStoreError, temporaryFolder } from "./test-support.ts";

const now = () => 1_700_000_000_000;

const books: Migration = {
  id: 1,
  name: "books",
  requires: 0,
  statements: (schema) => [schema.createTable("books").addColumn("title", "text", (column) => column.notNull())],
};

const shelves: Migration = {
  id: 2,
  name: "shelves",
  requires: 0,
  statements: (schema) => [
    schema.createTable("shelves").addColumn("name", "text"),
    schema.alterTable("books").addColumn("shelf", "text"),
  ],
};

const failing: Migration = {
  id: 2,
  name: "failing",
  requires: 0,
  statements: (schema, dialect) => [
    ...shelves.statements(schema, dialect),
    schema.createTable("books").addColumn("again", "text"),
  ],
};

async function schemaOf(db: Db): Promise<unknown> {
  return (await sql`select name, sql from sqlite_schema order by name`.execute(db)).rows;
}

describe("migrate", () => {
  test("applies what is pending, in order, and says so before and after each", async () => {
    await using db = await emptyDatabase();
    const progress: MigrationProgress[] = [];
    const onProgress = (step: MigrationProgress) => progress.push(step);
    expect(await migrate(db, { now, migrations: [books], onProgress })).toEqual([{ id: 1, name: "books" }]);
    expect(await migrate(db, { now, migrations: [books, shelves], onProgress })).toEqual([{ id: 2, name: "shelves" }]);
    expect(await migrate(db, { now, migrations: [books, shelves], onProgress })).toEqual([]);
    expect(progress).toEqual([
      { id: 1, name: "books", state: "applying" },
      { id: 1, name: "books", state: "applied" },
      { id: 2, name: "shelves", state: "applying" },
      { id: 2, name: "shelves", state: "applied" },
    ]);
    await sql`insert into books (title, shelf) values ('Emma', 'A')`.execute(db);
  });

  test("leaves the schema and the rows as they were when a migration fails", async () => {
    await using db = await emptyDatabase();
    await migrate(db, { now, migrations: [books] });
    await sql`insert into books (title) values ('Emma')`.execute(db);
    const before = await schemaOf(db);
    const error = await expectStoreError(migrate(db, { now, migrations: [books, failing] }), "MIGRATION_FAILED");
    expect(error.message).toContain("Migration 2 (failing) failed and was undone");
    expect(error.message).toContain('table "books" already exists');
    expect(await schemaOf(db)).toEqual(before);
    expect((await sql`select * from books`.execute(db)).rows).toEqual([{ title: "Emma" }]);
    expect(await migrate(db, { now, migrations: [books, shelves] })).toEqual([{ id: 2, name: "shelves" }]);
  });

  test("keeps those that were applied before the one that fails", async () => {
    await using db = await emptyDatabase();
    await expectStoreError(migrate(db, { now, migrations: [books, failing] }), "MIGRATION_FAILED");
    expect(await migrationStatus(db, { migrations: [books, failing] })).toMatchObject([
      { name: "books", state: "applied" },
      { name: "failing", state: "pending" },
    ]);
  });

  test("fails whole when the disk is full", async () => {
    using folder = temporaryFolder();
    await using db = await sqlite(folder.at("app.db")).open();
    await sql`pragma max_page_count = 8`.execute(db);
    const error = await expectStoreError(migrate(db, { now }), "MIGRATION_FAILED");
    expect(error.message).toContain("database or disk is full");
    expect(await schemaOf(db)).toEqual([]);
  });

  test("works on a database that the release after has migrated, which only adds", async () => {
    await using db = await emptyDatabase();
    await migrate(db, { now, migrations: [books, shelves] });
    expect(await migrate(db, { now, migrations: [books] })).toEqual([]);
    expect(await migrationStatus(db, { migrations: [books] })).toMatchObject([
      { state: "applied" },
      { state: "later" },
    ]);
  });

  test("refuses a database from which a later version took something that it needs, and names both numbers", async () => {
    await using db = await emptyDatabase();
    await migrate(db, { now, migrations: [books, { ...shelves, requires: 2 }] });
    expect(await migrationStatus(db, { migrations: [books] })).toMatchObject([
      { state: "applied" },
      { state: "unknown" },
    ]);
    const error = await expectStoreError(migrate(db, { now, migrations: [books] }), "NEWER_SCHEMA");
    expect(error.message).toContain("has migration 2, and this version of Countersign knows those up to 1");
  });

  test("refuses a database whose migration had other statements, and applies nothing to it", async () => {
    await using db = await emptyDatabase();
    await migrate(db, { now, migrations: [books] });
    const changed: Migration = {
      ...books,
      statements: (schema) => [schema.createTable("books").addColumn("isbn", "text")],
    };
    const error = await expectStoreError(migrate(db, { now, migrations: [changed, shelves] }), "CHANGED_MIGRATION");
    expect(error.message).toContain("Migration 1 (books)");
    expect(await migrationStatus(db, { migrations: [changed] })).toMatchObject([{ id: 1, state: "changed" }]);
    expect(JSON.stringify(await schemaOf(db))).not.toContain("shelves");
  });

  test("says so when its own table belongs to another program", async () => {
    await using db = await emptyDatabase();
    await sql`create table countersign_migrations (version text)`.execute(db);
    const error = await expectStoreError(migrate(db, { now }), "MIGRATION_FAILED");
    expect(error.message).toContain('The table "countersign_migrations" could not be read or made');
    expect(error.message).toContain("give Countersign a database of its own");
  });

  test("says so when a table of another program is in the way", async () => {
    await using db = await emptyDatabase();
    await sql`create table sessions (sid text)`.execute(db);
    const error = await expectStoreError(migrate(db, { now }), "MIGRATION_FAILED");
    expect(error.message).toContain('table "sessions" already exists');
  });

  test("says so when the database is locked, read-only or damaged by now", async () => {
    using folder = temporaryFolder();
    await using db = await sqlite(folder.at("app.db"), { busyTimeoutMs: 20 }).open();
    const writer = new Sqlite(folder.at("app.db"));
    writer.exec("begin immediate");
    await expectStoreError(migrate(db, { now }), "LOCKED");
    writer.close();
    // A connection that may only read stands for a disk that became read-only: SQLite answers both with the same code.
    await sql`pragma query_only = on`.execute(db);
    await expectStoreError(migrate(db, { now }), "READ_ONLY");
    await sql`pragma query_only = off`.execute(db);
    await migrate(db, { now });
    await db.destroy();

    copyFileSync(folder.at("app.db"), folder.at("damaged.db"));
    damage(folder.at("damaged.db"), "countersign_migrations");
    await using damaged = await sqlite(folder.at("damaged.db")).open();
    await expectStoreError(migrate(damaged, { now }), "NOT_A_DATABASE");
  });

  test("of many connections at once applies each migration once", async () => {
    using folder = temporaryFolder();
    const opened = await Promise.all(Array.from({ length: 5 }, () => sqlite(folder.at("app.db")).open()));
    const applied = await Promise.all(opened.map((db) => migrate(db, { now, migrations: [books, shelves] })));
    expect(applied.flat().toSorted((one, other) => one.id - other.id)).toEqual([
      { id: 1, name: "books" },
      { id: 2, name: "shelves" },
    ]);
    await Promise.all(opened.map((db) => db.destroy()));
  });

  test("of two processes at once applies each migration once", { timeout: 30_000 }, async () => {
    using folder = temporaryFolder();
    const starters = await Promise.all([starter(folder.at("app.db")), starter(folder.at("app.db"))]);
    const applied = await Promise.all(starters.map((start) => start()));
    const done = applied.flat() as { readonly id: number }[];
    expect(done.toSorted((one, other) => one.id - other.id)).toEqual(ours.map(({ id, name }) => ({ id, name })));
    await using db = await sqlite(folder.at("app.db")).open();
    expect(await migrationStatus(db)).toMatchObject(ours.map(({ id }) => ({ id, state: "applied" })));
  });
});

describe("migrationStatus", () => {
  test("tells what is applied, pending and unknown", async () => {
    await using db = await emptyDatabase();
    await migrate(db, { now, migrations: [books, shelves] });
    const third: Migration = { ...shelves, id: 3, name: "third" };
    expect(await migrationStatus(db, { migrations: [books, third] })).toEqual([
      { id: 1, name: "books", state: "applied", appliedAt: now() },
      { id: 3, name: "third", state: "pending", appliedAt: null },
      { id: 2, name: "shelves", state: "unknown", appliedAt: now() },
    ]);
  });

  test("changes nothing in a database that was never migrated", async () => {
    await using db = await emptyDatabase();
    expect(await migrationStatus(db, { migrations: [books] })).toMatchObject([{ state: "pending" }]);
    expect(await schemaOf(db)).toEqual([]);
  });
});

/**
 * A process that is ready to migrate; call what it resolves to and it does, and tells what it applied. Both have loaded
 * everything and opened the file before the first begins, so that they meet.
 */
async function starter(path: string): Promise<() => Promise<unknown[]>> {
  const program = `
    import { sqlite } from ${JSON.stringify(import.meta.resolve("./sqlite.ts"))};
    import { migrate } from ${JSON.stringify(import.meta.resolve("./migrate.ts"))};
    const db = await sqlite(${JSON.stringify(path)}).open();
    process.stderr.write("ready");
    for await (const _ of process.stdin);
    process.stdout.write(JSON.stringify(await migrate(db, { now: () => 0 })));
    await db.destroy();`;
  const node = ["--conditions=@countersign/source", "--input-type=module", "--eval", program];
  const child = spawn(process.execPath, node, { stdio: "pipe" });
  const output = text(child.stdout);
  const [said] = await once(child.stderr, "data");
  expect(String(said)).toBe("ready");
  return async () => {
    child.stdin.end();
    return JSON.parse(await output);
  };
}

/** Overwrites a table's first page. */
function damage(path: string, table: string): void {
  const handle = new Sqlite(path);
  const root = handle.prepare("select rootpage from sqlite_schema where name = ?").pluck().get(table) as number;
  const pageSize = handle.pragma("page_size", { simple: true }) as number;
  handle.close();
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0xff, (root - 1) * pageSize, root * pageSize));
}
