/** Kysely's SQLite driver, with transactions that hold between processes. */
import { setTimeout as sleep } from "node:timers/promises";
import type Sqlite from "better-sqlite3";
import { CompiledQuery, type DatabaseConnection, SqliteDriver } from "kysely";
import { isBusy } from "./sqlite-errors.ts";
import { preparedStatements } from "./sqlite-statements.ts";

interface DriverOptions {
  readonly onStatement: (sql: string) => void;
  readonly busyTimeoutMs: number;
}

export class TransactionalSqliteDriver extends SqliteDriver {
  readonly #handle: Sqlite.Database;
  readonly #busyTimeoutMs: number;
  #connection: DatabaseConnection | null = null;

  constructor(handle: Sqlite.Database, { onStatement, busyTimeoutMs }: DriverOptions) {
    super({ database: preparedStatements(handle, onStatement) });
    this.#handle = handle;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  /** Takes the write lock at once: a transaction that reads first and then writes would fail when another process wrote between. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /** SQLite has rolled back by itself when the disk was full or failed, and a second time would hide why. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#handle.inTransaction) await super.rollbackTransaction(connection);
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    this.#connection ??= waitingForLocks(await super.acquireConnection(), this.#busyTimeoutMs);
    return this.#connection;
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
