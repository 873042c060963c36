/** Kysely's SQLite driver, with transactions that hold between processes, and a disk that is waited for beside the thread. */
import { setTimeout as sleep } from "node:timers/promises";
import type Sqlite from "better-sqlite3";
import { CompiledQuery, type DatabaseConnection, SqliteAdapter, SqliteDriver } from "kysely";
import { isBusy } from "./sqlite-errors.ts";
import { preparedStatements } from "./sqlite-statements.ts";

interface DriverOptions {
  readonly onStatement: (sql: string) => void;
  readonly busyTimeoutMs: number;
  readonly disk: Disk;
}

export interface Disk {
  /** Waits until all that was committed is on it. */
  synced(): Promise<void>;
  close(): Promise<void>;
}

/** There is one connection. The driver gives it to one at a time itself: Kysely would keep it while its last user waits for the disk. */
export class SqliteDriverAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

export class TransactionalSqliteDriver extends SqliteDriver {
  readonly #handle: Sqlite.Database;
  readonly #options: DriverOptions;
  #connection: DatabaseConnection | null = null;
  /** Settled when the connection is free for whoever asks next, and how its user of now says so. */
  #isFree = Promise.resolve();
  #free = () => {};
  #hasWritten = false;

  constructor(handle: Sqlite.Database, options: DriverOptions) {
    const { onStatement } = options;
    const onWrite = () => {
      this.#hasWritten = true;
    };
    super({ database: preparedStatements(handle, { onStatement, onWrite }) });
    this.#handle = handle;
    this.#options = options;
  }

  /** Takes the write lock at once: a transaction that reads first and then writes would fail when another process wrote between. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /** SQLite has rolled back by itself when the disk was full or failed, and a second time would hide why. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#handle.inTransaction) await super.rollbackTransaction(connection);
    this.#hasWritten = false;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const isMine = this.#isFree;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#isFree = promise;
    await isMine;
    this.#free = resolve;
    this.#connection ??= waitingForLocks(await super.acquireConnection(), this.#options.busyTimeoutMs);
    return this.#connection;
  }

  /** The next one may go on; this one is told that it is done when what it wrote is on the disk. */
  override async releaseConnection(): Promise<void> {
    const hasWritten = this.#hasWritten;
    this.#hasWritten = false;
    this.#free();
    if (hasWritten) await this.#options.disk.synced();
  }

  override async destroy(): Promise<void> {
    await this.#options.disk.close();
    await super.destroy();
  }
}

function waitingForLocks(connection: DatabaseConnection, busyTimeoutMs: number): DatabaseConnection {
  return {
    executeQuery: (query) => retryWhileBusy(() => connection.executeQuery(query), busyTimeoutMs),
    streamQuery: (query, chunkSize) => connection.streamQuery(query, chunkSize),
  };
}

const pauseMs = 10;

/**
 * Waits for another connection's lock without holding up the event loop. SQLite's own busy handler sleeps in the one thread that
 * serves requests; it would even wait for itself, where two connections of one process have the same file.
 */
export async function retryWhileBusy<T>(work: () => T | Promise<T>, busyTimeoutMs: number): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += pauseMs) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || waitedMs >= busyTimeoutMs) throw error;
      await sleep(pauseMs);
    }
  }
}
