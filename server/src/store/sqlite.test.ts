import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { relative } from "node:path";
import { pathToFileURL } from "node:url";
import Sqlite from "better-sqlite3";
import { type Kysely, sql } from "kysely";
import { describe, expect, test, vi } from "vitest";
import { refuseOldNode, sqlite } from "./sqlite.ts";
import { asOrdinaryUser, expectStoreError, temporaryFolder } from "./test-support.ts";

const mode = (path: string) => statSync(path).mode & 0o777;

async function pragma<Db>(db: Kysely<Db>, name: string): Promise<unknown> {
  const { rows } = await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(db);
  return Object.values(rows[0] ?? {})[0];
}

/** The method is one of Node's class of open files, which has no name of its own. */
async function spyOnDataSync(folder: ReturnType<typeof temporaryFolder>) {
  await using file = await open(folder.at("any"), "w");
  return vi.spyOn(Object.getPrototypeOf(file) as FileHandle, "datasync");
}

describe("the location", () => {
  test("may be a path, a path after file:, or a file URL", () => {
    using folder = temporaryFolder();
    const path = folder.at("my data", "app.db");
    expect(sqlite(path).location).toBe(path);
    expect(sqlite(`file:${path}`).location).toBe(path);
    expect(sqlite(pathToFileURL(path).href).location).toBe(path);
    expect(sqlite(`file:./${relative(process.cwd(), path)}`).location).toBe(path);
  });

  test("may be memory", () => {
    expect(sqlite(":memory:").location).toBe(":memory:");
    expect(sqlite("file::memory:").location).toBe(":memory:");
  });

  test.each(["", "  ", "file:", "postgres://ann:hunter2@host/app", "file:./app.db?mode=ro", "file://./app.db", "a\0b"])(
    "%j is a TypeError, which does not repeat it",
    (location) => {
      expect(() => sqlite(location)).toThrow(
        new TypeError('"location" must be a file, as in "file:./data/app.db", or ":memory:"'),
      );
    },
  );

  test("touches nothing before it is opened", () => {
    using folder = temporaryFolder();
    sqlite(folder.at("data", "app.db"));
    expect(() => statSync(folder.at("data"))).toThrow("ENOENT");
  });
});

describe("opening", () => {
  test("makes missing folders and the file for this user only, and so are SQLite's own files", async () => {
    using folder = temporaryFolder();
    await using db = await sqlite(folder.at("a", "b", "app.db")).open();
    await sql`create table t (a)`.execute(db);
    expect(mode(folder.at("a"))).toBe(0o700);
    expect(mode(folder.at("a", "b"))).toBe(0o700);
    for (const suffix of ["", "-wal", "-shm"]) expect(mode(folder.at("a", "b", `app.db${suffix}`))).toBe(0o600);
  });

  test("leaves the mode of a file that is there", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("app.db"), "", { mode: 0o640 });
    await using _db = await sqlite(folder.at("app.db")).open();
    expect(mode(folder.at("app.db"))).toBe(0o640);
  });

  test("writes ahead, and holds foreign keys", async () => {
    using folder = temporaryFolder();
    await using db = await sqlite(folder.at("app.db")).open();
    expect(await pragma(db, "journal_mode")).toBe("wal");
    expect(await pragma(db, "synchronous")).toBe(1);
    expect(await pragma(db, "foreign_keys")).toBe(1);
  });

  test("has each commit synced, in the file that it was written ahead to", async () => {
    using folder = temporaryFolder();
    using datasync = await spyOnDataSync(folder);
    await using db = await sqlite(folder.at("app.db")).open();
    await sql`create table t (a)`.execute(db);
    expect(datasync).toHaveBeenCalledTimes(1);
    await db.transaction().execute((trx) => sql`insert into t values (1)`.execute(trx));
    expect(datasync).toHaveBeenCalledTimes(2);
    const [file] = datasync.mock.contexts as FileHandle[];
    expect((await file?.stat())?.ino).toBe(statSync(folder.at("app.db-wal")).ino);
  });

  test("refuses to go on when a sync has failed, and says it is the database", async () => {
    using folder = temporaryFolder();
    using datasync = await spyOnDataSync(folder);
    await using db = await sqlite(folder.at("app.db")).open();
    const failed = Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
    datasync.mockRejectedValueOnce(failed);
    for (const name of ["one", "other"]) {
      const writing = sql`create table ${sql.id(name)} (a)`.execute(db);
      await expect(writing).rejects.toMatchObject({ reason: "UNAVAILABLE", cause: failed });
    }
  });

  test("leaves what an application keeps in the same file", async () => {
    using folder = temporaryFolder();
    using application = writerOf(folder.at("app.db"), "delete");
    application.exec("create table notes (text); insert into notes values ('milk'); pragma user_version = 7");
    await using db = await sqlite(folder.at("app.db")).open();
    expect(await pragma(db, "user_version")).toBe(7);
    expect((await sql`select * from notes`.execute(db)).rows).toEqual([{ text: "milk" }]);
  });

  test("gives another database in memory each time", async () => {
    const memory = sqlite(":memory:");
    await using one = await memory.open();
    await using other = await memory.open();
    await sql`create table t (a)`.execute(one);
    await expect(sql`select * from t`.execute(other)).rejects.toThrow("no such table");
  });

  test("is undone by destroy(), even when nothing was asked of the database", async () => {
    using folder = temporaryFolder();
    const db = await sqlite(folder.at("app.db")).open();
    await db.destroy();
    // SQLite removes its own files when the last connection closes.
    expect(() => statSync(folder.at("app.db-wal"))).toThrow("ENOENT");
  });

  test("many at once get the same new file", async () => {
    using folder = temporaryFolder();
    const database = sqlite(folder.at("app.db"));
    const opened = await Promise.all(Array.from({ length: 8 }, () => database.open()));
    for (const db of opened) expect(await pragma(db, "journal_mode")).toBe("wal");
    await Promise.all(opened.map((db) => db.destroy()));
  });
});

describe("a database that cannot be used", () => {
  test("is a folder", async () => {
    using folder = temporaryFolder();
    mkdirSync(folder.at("app.db"));
    const error = await expectStoreError(sqlite(folder.at("app.db")).open(), "CANNOT_OPEN");
    expect(error.message).toBe(
      `The database ${folder.at("app.db")} is not a file. Name a file, which is made if it is missing.`,
    );
  });

  test("has a file where a folder should be", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("data"), "");
    const error = await expectStoreError(sqlite(folder.at("data", "app.db")).open(), "CANNOT_OPEN");
    expect(error.message).toContain(folder.at("data", "app.db"));
  });

  test("is in a folder where this user may make no file", async () => {
    using folder = temporaryFolder();
    mkdirSync(folder.at("data"), { mode: 0o555 });
    await asOrdinaryUser(async () => {
      const error = await expectStoreError(sqlite(folder.at("data", "app.db")).open(), "READ_ONLY");
      expect(error.message).toContain("EACCES");
      await expectStoreError(sqlite(folder.at("data", "deeper", "app.db")).open(), "READ_ONLY");
    });
  });

  test("is a file that this user may read only, whichever journal it has", async () => {
    using folder = temporaryFolder();
    for (const journal of ["wal", "delete"]) {
      const path = folder.at(`${journal}.db`);
      const handle = new Sqlite(path);
      handle.pragma(`journal_mode = ${journal}`);
      handle.exec("create table t (a)");
      handle.close();
      chmodSync(path, 0o444);
      await asOrdinaryUser(() => expectStoreError(sqlite(path).open(), "READ_ONLY"));
    }
  });

  test("is a file whose folder this user may read only, so that there can be no journal", async () => {
    using folder = temporaryFolder();
    mkdirSync(folder.at("data"));
    await using db = await sqlite(folder.at("data", "app.db")).open();
    await sql`create table t (a)`.execute(db);
    await db.destroy();
    chmodSync(folder.at("data", "app.db"), 0o666);
    chmodSync(folder.at("data"), 0o555);
    await asOrdinaryUser(() => expectStoreError(sqlite(folder.at("data", "app.db")).open(), "READ_ONLY"));
  });

  test("is a file that this user may not even read", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("app.db"), "");
    chmodSync(folder.at("app.db"), 0o000);
    await asOrdinaryUser(() => expectStoreError(sqlite(folder.at("app.db")).open(), "CANNOT_OPEN"));
  });

  test("is something else", async () => {
    using folder = temporaryFolder();
    const letter = "Dear Sir, this is a letter and not a database.\n".repeat(100);
    writeFileSync(folder.at("app.db"), letter);
    const error = await expectStoreError(sqlite(folder.at("app.db")).open(), "NOT_A_DATABASE");
    expect(error.message).toContain("Restore it from a backup, or name another file");
    expect(readFileSync(folder.at("app.db"), "utf8")).toBe(letter);
  });

  test("is damaged in its first page", async () => {
    using folder = temporaryFolder();
    const path = folder.at("app.db");
    const handle = new Sqlite(path);
    handle.exec("create table t (a)");
    handle.close();
    writeFileSync(path, readFileSync(path).fill(0xff, 100, 4096));
    await expectStoreError(sqlite(path).open(), "NOT_A_DATABASE");
  });

  test.each(["wal", "delete"])(
    "is locked by a writer for longer than the busy timeout (journal: %s)",
    async (journal) => {
      using folder = temporaryFolder();
      using writer = writerOf(folder.at("app.db"), journal);
      writer.exec("begin immediate");
      const error = await expectStoreError(sqlite(folder.at("app.db"), { busyTimeoutMs: 50 }).open(), "LOCKED");
      expect(error.message).toContain("locked by another process");
    },
  );

  test("is closed again, so that the file can be removed or repaired", async () => {
    using folder = temporaryFolder();
    using writer = writerOf(folder.at("app.db"), "wal");
    writer.exec("begin immediate");
    await expectStoreError(sqlite(folder.at("app.db"), { busyTimeoutMs: 0 }).open(), "LOCKED");
    writer.exec("commit");
    // SQLite lets nobody leave WAL while another connection is open.
    expect(writer.prepare("pragma journal_mode = delete").pluck().get()).toBe("delete");
  });
});

test("opening waits for a writer that is done in time", async () => {
  using folder = temporaryFolder();
  using writer = writerOf(folder.at("app.db"), "wal");
  writer.exec("begin immediate");
  setTimeout(() => writer.exec("commit"), 50);
  await using db = await sqlite(folder.at("app.db")).open();
  expect(await pragma(db, "journal_mode")).toBe("wal");
});

test.each(["18.20.8", "20.20.2", "22.0.0", "22.13.1"])(
  "Node %s is refused: there the driver kills the process",
  (version) => {
    expect(() => refuseOldNode(version)).toThrow(`SQLite needs Node 22.14 or later, and this is Node ${version}.`);
  },
);

test.each(["22.14.0", "22.23.3", "23.0.0", "24.21.0"])("Node %s is good enough", (version) => {
  expect(() => refuseOldNode(version)).not.toThrow();
});

function writerOf(path: string, journal: string): Sqlite.Database & Disposable {
  const handle = new Sqlite(path);
  handle.pragma(`journal_mode = ${journal}`);
  return Object.assign(handle, { [Symbol.dispose]: () => void handle.close() });
}
