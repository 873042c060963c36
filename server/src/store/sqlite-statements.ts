/** The driver's handle as Kysely wants it: statements prepared once, errors translated, each execution told of. */
import type Sqlite from "better-sqlite3";
import type { SqliteDatabase, SqliteStatement } from "kysely";
import { fromDriver } from "./sqlite-errors.ts";

/** Statements kept prepared: more than the server has, so that only lists of varying length push others out. */
const keptStatements = 200;

/** What is told of statements: each one's SQL, just before it is executed, and that one has written, just after. */
interface Listeners {
  readonly onStatement: (sql: string) => void;
  readonly onWrite: () => void;
}

export function preparedStatements(handle: Sqlite.Database, listeners: Listeners): SqliteDatabase {
  const kept = new Map<string, SqliteStatement>();
  return {
    prepare(sql) {
      const statement = kept.get(sql) ?? prepare(handle, sql, listeners);
      // Last in, so that the first is the one that was not used for the longest time.
      kept.delete(sql);
      kept.set(sql, statement);
      if (kept.size > keptStatements) kept.delete(kept.keys().next().value ?? "");
      return statement;
    },
    close() {
      kept.clear();
      handle.close();
    },
  };
}

function prepare(handle: Sqlite.Database, sql: string, { onStatement, onWrite }: Listeners): SqliteStatement {
  const statement = translated(() => handle.prepare(sql));
  const execute = <T>(work: () => T): T => {
    onStatement(sql);
    const result = translated(work);
    if (!statement.readonly) onWrite();
    return result;
  };
  return {
    reader: statement.reader,
    all: (parameters) => execute(() => statement.all(parameters)),
    run: (parameters) => execute(() => statement.run(parameters)),
    *iterate(parameters) {
      onStatement(sql);
      try {
        yield* statement.iterate(parameters);
      } catch (error) {
        throw fromDriver(error);
      }
    },
  };
}

function translated<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fromDriver(error);
  }
}
