/** SQLite as the database: one file, one process that serves, durable when it says so. */
import { closeSync, fstatSync, mkdirSync, openSync, statSync } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import Sqlite from "better-sqlite3";
import { Kysely, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import { type Database, StoreError } from "./database.ts";
import type { StoreDialect } from "./dialect.ts";
import { groupSync } from "./group-sync.ts";
import { sqliteMigrations } from "./migrations/dialect.ts";
import type { Tables } from "./schema.ts";
import { readCatalogue } from "./sqlite-catalogue.ts";
import { type Disk, retryWhileBusy, SqliteDriverAdapter, TransactionalSqliteDriver } from "./sqlite-driver.ts";
import { storeErrorFrom, unavailableBecause } from "./sqlite-errors.ts";

/** What `sqlite` takes beside the location. */
export interface SqliteOptions {
  /** Called with the SQL of each statement, just before it is executed: for counting and tracing. Never sees a value. */
  readonly onStatement?: (sql: string) => void;
  /** How long a statement waits, in milliseconds, while another process writes. Default: 5000. */
  readonly busyTimeoutMs?: number;
}

const memory = ":memory:";

/**
 * SQLite in a file, or in memory. A missing file is made with mode 0600, missing folders with 0700; nothing happens
 * before `open()`.
 *
 * @param location `file:./data/app.db`, a plain path, or `:memory:`. Relative to the working directory of this moment.
 * @throws {TypeError} when `location` names no file.
 *
 * @example
 * ```ts
 * const auth = createAuth({ database: sqlite("file:./data/app.db"), secret, issuer });
 * ```
 */
export function sqlite(location: string, options: SqliteOptions = {}): Database {
  const path = pathOf(location);
  return {
    dialect: "sqlite",
    location: path,
    open: () => open(path, options),
    async copy() {
      const { copySqlite, removeSqlite } = await import("./rehearsal/sqlite-copy.ts");
      await using db = await open(path, options);
      const file = await copySqlite(db, path);
      return {
        database: sqlite(file, options),
        url: `file:${file}`,
        [Symbol.asyncDispose]: async () => removeSqlite(file),
      };
    },
  };
}

const sqliteDialect: StoreDialect = {
  migrations: sqliteMigrations,
  // Transactions take the write lock as they begin (sqlite-driver.ts).
  lockMigrations: async () => {},
  readCatalogue,
  async inScratch(_, work) {
    await using scratch = await open(memory, {});
    return await work(scratch);
  },
  storeErrorFrom,
  name: "sqlite",
  hasIsolationLevels: false,
  isConflict: () => false,
};

async function open(path: string, options: SqliteOptions): Promise<Kysely<Tables>> {
  const { onStatement = () => {}, busyTimeoutMs = 5000 } = options;
  refuseOldNode(process.versions.node);
  if (path !== memory) makeFile(path);
  const handle = await connect(path, busyTimeoutMs);
  const disk = path === memory ? memoryDisk : await openDisk(handle, `${path}-wal`);
  const db = new Kysely<Tables>({
    dialect: {
      createAdapter: () => Object.assign(new SqliteDriverAdapter(), { storeDialect: sqliteDialect }),
      createDriver: () => new TransactionalSqliteDriver(handle, { onStatement, busyTimeoutMs, disk }),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  // Kysely closes only what it has begun to use, and this handle is open already.
  await db.connection().execute(async () => {});
  return db;
}

/**
 * The native driver kills the process on these, without a word (WiseLibs/better-sqlite3#1514).
 *
 * @throws {StoreError} `CANNOT_OPEN`, for a Node before 22.14.
 */
export function refuseOldNode(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 14)) return;
  throw new StoreError("CANNOT_OPEN", `SQLite needs Node 22.14 or later, and this is Node ${version}. Update Node.`);
}

function pathOf(location: string): string {
  const named = location.trim();
  if (named === memory || named === `file:${memory}`) return memory;
  const path = named.startsWith("file:") ? pathOfUrl(named) : named;
  if (path === null || path === "" || path.includes("\0") || /^[a-z][a-z\d+.-]+:\/\//i.test(path)) {
    // Never the value: a URL of another database may hold a password.
    throw new TypeError('"location" must be a file, as in "file:./data/app.db", or ":memory:"');
  }
  return resolve(path);
}

/** `file:` and a path as it is written, or a whole URL (RFC 8089); `null` for what is neither, as with `?mode=ro`. */
function pathOfUrl(url: string): string | null {
  if (/[?#]/.test(url)) return null;
  if (!url.startsWith("file://")) return url.slice("file:".length);
  try {
    return fileURLToPath(url);
  } catch {
    return null;
  }
}

function makeFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    makeMissing(path);
    // SQLite would wait for ever at a named pipe.
    if (!statSync(path).isFile()) {
      throw new StoreError(
        "CANNOT_OPEN",
        `The database ${path} is not a file. Name a file, which is made if it is missing.`,
      );
    }
  } catch (error) {
    throw error instanceof StoreError ? error : fromFileSystem(error, path);
  }
}

/**
 * Makes the file before SQLite would, so that nobody else may read it; SQLite gives its -wal and -shm the same mode. A file that
 * is there is never opened here: closing it would drop the locks of every connection that this process has to it
 * (https://sqlite.org/howtocorrupt.html, 2.2).
 */
function makeMissing(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
}

function fromFileSystem(error: unknown, path: string): StoreError {
  const code = systemCode(error);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    const what = `The database ${path} cannot be made: this process may not write there (${code}).`;
    return new StoreError("READ_ONLY", `${what} Let its user write to the folder, or name another file.`, {
      cause: error,
    });
  }
  const what = `The database ${path} cannot be opened (${code ?? "unknown error"}).`;
  return new StoreError("CANNOT_OPEN", `${what} Check that each part of the path is a folder.`, { cause: error });
}

function systemCode(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

const memoryDisk: Disk = { synced: async () => {}, close: async () => {} };

/**
 * Brings commits to the disk, which SQLite in WAL mode appends to this file: before it is written anew from its start, SQLite has
 * synced and moved all that is in it (https://sqlite.org/wal.html). The file stays the same one as long as a connection is
 * open. SQLite holds no lock on it that closing it here could drop.
 */
async function openDisk(handle: Sqlite.Database, writtenAhead: string): Promise<Disk> {
  const file = await openFile(writtenAhead, "r+");
  const sync = async () => {
    try {
      await file.datasync();
      // In a file without a name, the next start would not find what is told to be done.
      if (fstatSync(file.fd).nlink === 0) saveFromDeleted(handle, writtenAhead);
    } catch (error) {
      throw unavailableBecause(error);
    }
  };
  return { synced: groupSync(sync), close: () => file.close() };
}

/** Moves what was committed to where it will be found, and throws: what is written from now on would be in the deleted file again. */
function saveFromDeleted(handle: Sqlite.Database, writtenAhead: string): never {
  handle.pragma("wal_checkpoint(TRUNCATE)");
  const sentence = `${writtenAhead} was deleted. Nothing is lost: stop the server, and start it again.`;
  throw new StoreError("CANNOT_OPEN", sentence);
}

async function connect(path: string, busyTimeoutMs: number): Promise<Sqlite.Database> {
  let handle: Sqlite.Database | null = null;
  try {
    // No waiting inside SQLite: see retryWhileBusy.
    const opened = new Sqlite(path, { timeout: 0 });
    handle = opened;
    await retryWhileBusy(() => prove(opened), busyTimeoutMs);
    // FULL would sync at each commit as well, while the thread waits; see openDisk.
    handle.pragma("synchronous = NORMAL");
    handle.pragma("foreign_keys = ON");
    return handle;
  } catch (error) {
    handle?.close();
    throw storeErrorFrom(error, `The database ${path}`) ?? error;
  }
}

/** Writes and takes it back, so that what cannot be written is found now, and not at the first login. */
function prove(handle: Sqlite.Database): void {
  handle.pragma("journal_mode = WAL");
  handle.exec("begin immediate");
  try {
    // The lock alone proves nothing: on a file that it may not write, SQLite begins a transaction that only reads.
    handle.pragma("user_version = 0");
  } finally {
    if (handle.inTransaction) handle.exec("rollback");
  }
}
