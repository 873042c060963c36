import { setTimeout as sleep } from "node:timers/promises";
import { AuthError } from "@countersign/shared";
import Sqlite from "better-sqlite3";
import { Kysely, SqliteIntrospector, SqliteQueryCompiler, sql } from "kysely";
import { describe, expect, test, vi } from "vitest";
import { groupSync } from "./group-sync.ts";
import type { SqliteOptions } from "./sqlite.ts";
import { sqlite } from "./sqlite.ts";
import { SqliteDriverAdapter, TransactionalSqliteDriver } from "./sqlite-driver.ts";
import { storeErrorFrom } from "./sqlite-errors.ts";
import { preparedStatements } from "./sqlite-statements.ts";
import { temporaryFolder } from "./test-support.ts";
import { UniqueViolation } from "./unique-violation.ts";

interface CounterTables {
  counter: { id: number; value: number; note: string | null };
}

async function counter(location: string, options?: SqliteOptions): Promise<Kysely<CounterTables>> {
  const db = await sqlite(location, options).open();
  await sql`create table if not exists counter (id integer primary key, value integer, note text unique, check (value < 1000)) strict`.execute(
    db,
  );
  await sql`insert or ignore into counter (id, value) values (1, 0)`.execute(db);
  return db as unknown as Kysely<CounterTables>;
}

async function counterValue(db: Kysely<CounterTables>): Promise<number | undefined> {
  return (await db.selectFrom("counter").select("value").where("id", "=", 1).executeTakeFirst())?.value;
}

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

/** Expects `UNAVAILABLE`, because of an error of the driver with this code. */
async function expectUnavailable(promise: Promise<unknown>, code: string): Promise<void> {
  const error = await caught(promise);
  expect(error).toBeInstanceOf(AuthError);
  expect(error).toMatchObject({ reason: "UNAVAILABLE", data: { details: { retryAfter: 1 } }, cause: { code } });
}

const nobody = { onStatement: () => {}, onWrite: () => {} };

describe("the disk", () => {
  /** A counter on a disk that a test lets turn: `waiting` holds the syncs that were asked for. */
  async function onSlowDisk() {
    const waiting: PromiseWithResolvers<void>[] = [];
    const synced = groupSync(() => {
      const sync = Promise.withResolvers<void>();
      waiting.push(sync);
      return sync.promise;
    });
    const driver = new TransactionalSqliteDriver(new Sqlite(":memory:"), {
      ...nobody,
      busyTimeoutMs: 0,
      disk: { synced, close: async () => {} },
    });
    const db = new Kysely<CounterTables>({
      dialect: {
        createAdapter: () => new SqliteDriverAdapter(),
        createDriver: () => driver,
        createIntrospector: (db) => new SqliteIntrospector(db),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    });
    /** Resolves when the next sync was asked for. */
    const asked = () => vi.waitUntil(() => waiting.shift(), { interval: 1 });
    const table = sql`create table counter (id integer primary key, value integer, note text)`.execute(db);
    (await asked()).resolve();
    await table;
    const add = (id: number) => db.insertInto("counter").values({ id, value: 0, note: null }).execute();
    return Object.assign(db, { add, asked, waiting });
  }

  test("has what is told to be done: a statement, and a transaction", async () => {
    await using db = await onSlowDisk();
    const told: string[] = [];
    const statement = db.add(1).then(() => told.push("statement"));
    const first = await db.asked();
    expect(await counterValue(db)).toBe(0);
    expect(told).toEqual([]);
    first.resolve();
    await statement;

    const transaction = db
      .transaction()
      .execute((trx) => trx.updateTable("counter").set({ value: 2 }).execute())
      .then(() => told.push("transaction"));
    const second = await db.asked();
    expect(await counterValue(db)).toBe(2);
    expect(told).toEqual(["statement"]);
    second.resolve();
    await transaction;
    expect(told).toEqual(["statement", "transaction"]);
  });

  test("is waited for by nobody who only reads, nor for what was undone", async () => {
    await using db = await onSlowDisk();
    await counterValue(db);
    const failing = db.transaction().execute(async (trx) => {
      await trx.insertInto("counter").values({ id: 1, value: 0, note: null }).execute();
      throw new TypeError("a bug");
    });
    await expect(failing).rejects.toThrow("a bug");
    await counterValue(db);
    expect(db.waiting).toEqual([]);
  });

  test("that fails refuses what was written, and all that is written later", async () => {
    await using db = await onSlowDisk();
    const failed = new AuthError("UNAVAILABLE", { retryAfter: 1 });
    const refused = caught(db.add(1));
    (await db.asked()).reject(failed);
    expect(await refused).toBe(failed);
    expect(await caught(db.add(2))).toBe(failed);
    expect(await counterValue(db)).toBe(0);
  });
});

describe("transactions", () => {
  test("of two connections that read and then write lose nothing", async () => {
    using folder = temporaryFolder();
    await using one = await counter(folder.at("app.db"), { busyTimeoutMs: 2000 });
    await using other = await counter(folder.at("app.db"), { busyTimeoutMs: 2000 });
    const add = (db: Kysely<CounterTables>) =>
      db.transaction().execute(async (transaction) => {
        const value = (await counterValue(transaction)) ?? Number.NaN;
        await sleep(1);
        await transaction
          .updateTable("counter")
          .set({ value: value + 1 })
          .execute();
      });
    await Promise.all(Array.from({ length: 20 }, (_, index) => add(index % 2 === 0 ? one : other)));
    expect(await counterValue(one)).toBe(20);
  });

  test("are undone when what they do fails", async () => {
    await using db = await counter(":memory:");
    const failing = db.transaction().execute(async (transaction) => {
      await transaction.updateTable("counter").set({ value: 5 }).execute();
      throw new TypeError("a bug");
    });
    await expect(failing).rejects.toThrow(new TypeError("a bug"));
    expect(await counterValue(db)).toBe(0);
  });

  test("that SQLite has undone itself still say why: the disk is full", async () => {
    using folder = temporaryFolder();
    await using db = await counter(folder.at("app.db"));
    await sql`pragma max_page_count = 8`.execute(db);
    const filling = db.transaction().execute(async (transaction) => {
      await transaction.updateTable("counter").set({ value: 5 }).execute();
      await transaction
        .insertInto("counter")
        .values({ id: 2, value: 0, note: "x".repeat(100_000) })
        .execute();
    });
    await expectUnavailable(filling, "SQLITE_FULL");
    expect(await counterValue(db)).toBe(0);
    await db.updateTable("counter").set({ value: 6 }).execute();
    expect(await counterValue(db)).toBe(6);
  });
});

describe("a lock that another connection holds", () => {
  test("is waited for, and the event loop goes on", async () => {
    using folder = temporaryFolder();
    await using db = await counter(folder.at("app.db"));
    await using other = await counter(folder.at("app.db"));
    const events: string[] = [];
    const holding = other.transaction().execute(async (transaction) => {
      await transaction.updateTable("counter").set({ value: 1 }).execute();
      await sleep(50);
      events.push("lock given back");
    });
    await sleep(5);
    setTimeout(() => events.push("event loop"), 20);
    await db
      .updateTable("counter")
      .set((update) => ({ value: update("value", "+", 1) }))
      .execute();
    events.push("written");
    await holding;
    expect(events).toEqual(["event loop", "lock given back", "written"]);
    expect(await counterValue(db)).toBe(2);
  });

  test("is UNAVAILABLE after the busy timeout, for a statement and for a transaction; reads go on", async () => {
    using folder = temporaryFolder();
    await using db = await counter(folder.at("app.db"), { busyTimeoutMs: 30 });
    await using other = await counter(folder.at("app.db"));
    await other.transaction().execute(async (transaction) => {
      await transaction.updateTable("counter").set({ value: 1 }).execute();
      await expectUnavailable(db.updateTable("counter").set({ value: 2 }).execute(), "SQLITE_BUSY");
      await expectUnavailable(db.transaction().execute(counterValue), "SQLITE_BUSY");
      expect(await counterValue(db)).toBe(0);
    });
    await db.updateTable("counter").set({ value: 3 }).execute();
    expect(await counterValue(db)).toBe(3);
  });
});

describe("statements", () => {
  test("are told of as they are executed, each time", async () => {
    const statements: string[] = [];
    await using db = await counter(":memory:", { onStatement: (sql) => statements.push(sql) });
    statements.length = 0;
    await db.transaction().execute(counterValue);
    await counterValue(db);
    const select = 'select "value" from "counter" where "id" = ?';
    expect(statements).toEqual(["begin immediate", select, "commit", select]);
  });

  test("can be streamed, and are told of once", async () => {
    const statements: string[] = [];
    await using db = await counter(":memory:", { onStatement: (sql) => statements.push(sql) });
    await db.insertInto("counter").values({ id: 2, value: 7, note: null }).execute();
    statements.length = 0;
    const values: number[] = [];
    for await (const { value } of db.selectFrom("counter").select("value").orderBy("id").stream()) values.push(value);
    expect(values).toEqual([0, 7]);
    expect(statements).toHaveLength(1);
  });

  test("that fail while they stream say so as the others do", async () => {
    await using db = await counter(":memory:");
    const streaming = async () => {
      const failing = sql<number>`abs(-9223372036854775807 - 1)`.as("value");
      for await (const _ of db.selectFrom("counter").select(failing).stream()) expect.unreachable();
    };
    await expect(streaming()).rejects.toThrow("integer overflow");
  });

  test("are prepared once, and the longest unused go first", () => {
    const prepared: string[] = [];
    const handle = new Sqlite(":memory:");
    const prepare = handle.prepare.bind(handle);
    const counting = (sql: string) => {
      prepared.push(sql);
      return prepare(sql);
    };
    const statements = preparedStatements(Object.assign(handle, { prepare: counting }), nobody);
    const run = (number: number) => statements.prepare(`select ${number}`).all([]);
    for (let number = 0; number < 200; number++) run(number);
    run(0);
    expect(prepared).toHaveLength(200);
    run(200);
    run(0);
    expect(prepared).toHaveLength(201);
    run(1);
    expect(prepared.at(-1)).toBe("select 1");
    statements.close();
  });

  test("that were prepared before another connection added a column read it after", async () => {
    using folder = temporaryFolder();
    await using db = await counter(folder.at("app.db"));
    await using other = await counter(folder.at("app.db"));
    const all = () => db.selectFrom("counter").selectAll().execute();
    expect(await all()).toEqual([{ id: 1, value: 0, note: null }]);
    await sql`alter table counter add column extra text default 'new'`.execute(other);
    expect(await all()).toEqual([{ id: 1, value: 0, note: null, extra: "new" }]);
  });
});

describe("errors", () => {
  test("a second row with a unique value is a UniqueViolation that names the column, not the value", async () => {
    await using db = await counter(":memory:");
    const insert = (id: number) => db.insertInto("counter").values({ id, value: 0, note: "hunter2" }).execute();
    await insert(2);
    const error = await caught(insert(3));
    expect(error).toBeInstanceOf(UniqueViolation);
    expect(error).toMatchObject({ table: "counter", column: "note", cause: { code: "SQLITE_CONSTRAINT_UNIQUE" } });
    expect(String(error)).not.toContain("hunter2");
    expect(await caught(insert(2))).toMatchObject({ name: "UniqueViolation", table: "counter", column: "id" });
  });

  // A connection that may only read stands for a disk that became read-only: SQLite answers both with the same code.
  test("a database that became read-only is UNAVAILABLE", async () => {
    await using db = await counter(":memory:");
    await sql`pragma query_only = on`.execute(db);
    await expectUnavailable(db.updateTable("counter").set({ value: 1 }).execute(), "SQLITE_READONLY");
  });

  test("a connection that is closed is UNAVAILABLE", () => {
    const statements = preparedStatements(new Sqlite(":memory:"), nobody);
    const statement = statements.prepare("select 1");
    statements.close();
    for (const use of [
      () => statement.all([]),
      () => [...statement.iterate([])],
      () => statements.prepare("select 1"),
    ]) {
      expect(use).toThrow(expect.objectContaining({ reason: "UNAVAILABLE", cause: expect.any(TypeError) }));
    }
  });

  test.each([
    ["SQLITE_BUSY", "LOCKED"],
    ["SQLITE_BUSY_SNAPSHOT", "LOCKED"],
    ["SQLITE_LOCKED", "LOCKED"],
    ["SQLITE_PROTOCOL", "LOCKED"],
    ["SQLITE_IOERR_FSYNC", "CANNOT_OPEN"],
    ["SQLITE_FULL", "CANNOT_OPEN"],
    ["SQLITE_CANTOPEN", "CANNOT_OPEN"],
    ["SQLITE_READONLY_DBMOVED", "READ_ONLY"],
    ["SQLITE_CORRUPT", "NOT_A_DATABASE"],
    ["SQLITE_NOTADB", "NOT_A_DATABASE"],
  ] as const)("%s is UNAVAILABLE to a caller, and %s to the operator", (code, reason) => {
    const statements = preparedStatements(failingWith(new Sqlite.SqliteError("made up", code)), nobody);
    const error = thrownBy(() => statements.prepare("select 1"));
    expect(error).toMatchObject({ reason: "UNAVAILABLE", cause: { code } });
    expect(storeErrorFrom(error, "The database")).toMatchObject({ name: "StoreError", reason });
  });

  test.each([
    new Sqlite.SqliteError("no such table: acounts", "SQLITE_ERROR"),
    new Sqlite.SqliteError("CHECK constraint failed: value < 1000", "SQLITE_CONSTRAINT_CHECK"),
    new Sqlite.SqliteError("NOT NULL constraint failed: counter.value", "SQLITE_CONSTRAINT_NOTNULL"),
    new TypeError("SQLite3 can only bind numbers, strings, bigints, buffers, and null"),
  ])("a bug looks like a bug: $message", (bug) => {
    const error = thrownBy(() => preparedStatements(failingWith(bug), nobody).prepare("select 1"));
    expect(error).toBe(bug);
    expect(storeErrorFrom(error, "The database")).toBeNull();
  });
});

function failingWith(error: Error): Sqlite.Database {
  return Object.assign(new Sqlite(":memory:"), {
    prepare: () => {
      throw error;
    },
  });
}

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return expect.unreachable();
}
