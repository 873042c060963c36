/** What SQLite's errors mean: for a caller while the server runs, and for the operator while it starts. */
import { AuthError } from "@countersign/shared";
import Sqlite from "better-sqlite3";
import { StoreError, type StoreFailure } from "./database.ts";
import { UniqueViolation } from "./unique-violation.ts";

type SqliteError = InstanceType<typeof Sqlite.SqliteError>;

/** What a trigger of `promotion/sqlite-changes.ts` says to whoever would still write. */
export const movedMessage = "countersign: everything was moved to another database";

/** A database that cannot answer now. Extended codes begin with the primary one (https://sqlite.org/rescode.html). */
const unavailable = /^SQLITE_(BUSY|LOCKED|PROTOCOL|IOERR|FULL|READONLY|CANTOPEN|CORRUPT|NOTADB)(_|$)/;

/**
 * Turns an error of the driver into what the rest of the server knows: {@link UniqueViolation}, or `UNAVAILABLE` with
 * the driver's error as its `cause`. Anything else is returned as it is: a bug must look like a bug.
 */
export function fromDriver(error: unknown): unknown {
  if (isClosed(error)) return unavailableBecause(error);
  if (!(error instanceof Sqlite.SqliteError)) return error;
  if (error.message === movedMessage) return unavailableBecause(error);
  return uniqueViolation(error) ?? (unavailable.test(error.code) ? unavailableBecause(error) : error);
}

/** Whether another connection holds a lock that this statement waits for, so that it may be tried again. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_BUSY(_|$)/.test(codeOf(error) ?? "");
}

/**
 * What an error of the driver, as it is or as the cause of an `UNAVAILABLE`, means at the start: a sentence about
 * `subject` for the operator. `null` when it says nothing about the database as a whole.
 */
export function storeErrorFrom(error: unknown, subject: string): StoreError | null {
  const code = codeOf(error);
  if (code === null) return null;
  const word = unavailable.exec(code)?.[1];
  if (word === undefined) return null;
  const failure = failures[word] ?? "CANNOT_OPEN";
  return new StoreError(failure, `${subject} ${sentences[failure]} (${code})`, { cause: error });
}

const failures: Readonly<Record<string, keyof typeof sentences>> = {
  BUSY: "LOCKED",
  LOCKED: "LOCKED",
  PROTOCOL: "LOCKED",
  READONLY: "READ_ONLY",
  CORRUPT: "NOT_A_DATABASE",
  NOTADB: "NOT_A_DATABASE",
};

const sentences = {
  LOCKED: "is locked by another process. Wait until that process is done, or stop it, and start again.",
  READ_ONLY: "cannot be written. Let the user of this process write to the file and to the folder that it is in.",
  NOT_A_DATABASE: "is damaged, or is not an SQLite database. Restore it from a backup, or name another file.",
  CANNOT_OPEN:
    "cannot be opened. Check that the user of this process may read and write the file, and that the disk works and has space.",
} as const satisfies Partial<Record<StoreFailure, string>>;

/** That the database cannot answer now. */
export function unavailableBecause(cause: unknown): AuthError<"UNAVAILABLE"> {
  return new AuthError("UNAVAILABLE", { retryAfter: 1 }, undefined, { cause });
}

function codeOf(error: unknown): string | null {
  if (error instanceof Sqlite.SqliteError) return error.code;
  return error instanceof AuthError ? codeOf(error.cause) : null;
}

/** The driver has neither a class nor a code for this one. */
function isClosed(error: unknown): boolean {
  return error instanceof TypeError && error.message === "The database connection is not open";
}

function uniqueViolation(error: SqliteError): UniqueViolation | null {
  if (!/^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY|ROWID)$/.test(error.code)) return null;
  // SQLite names the columns and nothing else: "UNIQUE constraint failed: accounts.username_key".
  const [, table, column] = /: (\w+)\.(\w+)/.exec(error.message) ?? [];
  return table === undefined || column === undefined ? null : new UniqueViolation(table, column, { cause: error });
}
