/** What PostgreSQL's errors mean: for a caller while the server runs, and for the operator while it starts. */
import { AuthError } from "@countersign/shared";
import pg from "pg";
import { StoreError } from "./database.ts";
import { UniqueViolation } from "./unique-violation.ts";

/** A SQLSTATE, or the class that it begins with (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const codes = {
  conflict: /^40(001|P01)$/,
  unique: /^23505$/,
  /** It cannot be reached, lets nobody in, has no room, shuts down, takes too long, or can only be read. */
  unavailable: /^(08|28|3D|53|57|58|40|55P03|25006|25P0[34]|XX00[12])/,
  readOnly: /^(25006|42501)$/,
  /** The connection is over, or leads to a server that is no longer the one to ask. By code: the severity is translated. */
  connection: /^(08|28|57P0|25006|25P0[34]|53300)/,
  /** A statement that was prepared before is of another schema, or a pooler has lost it, or somebody else has its name. */
  preparation: /^(26000|42P05)$/,
} as const;

/**
 * Turns an error of the driver into what the rest of the server knows: {@link UniqueViolation}, or `UNAVAILABLE` with
 * the driver's error as its `cause`. Anything else is returned as it is: a bug must look like a bug.
 */
export function fromDriver(error: unknown): unknown {
  if (error instanceof pg.DatabaseError) {
    return uniqueViolation(error) ?? (codes.unavailable.test(error.code ?? "") ? unavailableBecause(error) : error);
  }
  // What else the driver throws is about the connection, in as many forms as there are ways to lose one.
  return error instanceof Error && !isBug(error) ? unavailableBecause(withCode(error)) : error;
}

/** What the driver says in a sentence alone, as a code: sentences stay out of the log. */
function withCode(error: Error): Error {
  if ("code" in error) return error;
  const [, code = "CONNECTION_LOST"] = driversOwn.find(([sentence]) => sentence.test(error.message)) ?? [];
  return Object.assign(error, { code });
}

const driversOwn = [
  [/^timeout exceeded when trying to connect/, "NO_CONNECTION_FREE"],
  [/^Query read timeout/, "NO_ANSWER"],
  [/^Cannot use a pool after calling end/, "CLOSED"],
] as const;

/** Whether the database undid a transaction for a reason that is gone when it is tried again. */
export function isConflict(error: unknown): boolean {
  return codes.conflict.test(codeOf(error) ?? "") || isMadeTwice(error) || isStalePlan(error);
}

/** Whether a statement must be prepared anew: after a migration of another node, or where a pooler has lost it. */
export function isStalePlan(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  const isOfOtherSchema = error.code === "0A000" && error.routine === "RevalidateCachedQuery";
  return isOfOtherSchema || codes.preparation.test(error.code ?? "");
}

/** Of two that make a table "if it does not exist" at once, PostgreSQL may refuse the second. */
function isMadeTwice(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  return error.code === "42P07" || (codes.unique.test(error.code ?? "") && error.schema === "pg_catalog");
}

/** Whether the connection can be used no more after an error: everything but what the database itself answered. */
export function isAboutConnection(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || codes.connection.test(error.code ?? "");
}

export function storeErrorFrom(error: unknown, subject: string): StoreError | null {
  const code = codeOf(error);
  const cause = error instanceof AuthError ? error.cause : error;
  if (code !== null && codes.readOnly.test(code)) {
    const what = `${subject} does not let this program's user make its tables (${code}).`;
    return new StoreError("READ_ONLY", `${what} Name the primary server, and give the user the right to create.`, {
      cause,
    });
  }
  if (code === "55P03") {
    return new StoreError(
      "LOCKED",
      `${subject} is locked by another process. Wait until it is done, and start again.`,
      {
        cause,
      },
    );
  }
  // Such as a certificate that the URL names.
  if (isMissingFile(cause)) {
    return new StoreError(
      "CANNOT_OPEN",
      `${subject}: the file ${cause.path} of its URL cannot be read (${cause.code}).`,
      {
        cause,
      },
    );
  }
  if (!(error instanceof AuthError)) return null;
  const said = cause instanceof Error ? cause.message : String(cause);
  return new StoreError(
    "CANNOT_OPEN",
    `${subject} cannot be reached: ${said}. Check DATABASE_URL, and that PostgreSQL is running and lets this user in.`,
    { cause },
  );
}

/** The SQLSTATE of an error, as it is or as the cause of an `UNAVAILABLE`. */
export function codeOf(error: unknown): string | null {
  if (error instanceof AuthError) return codeOf(error.cause);
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null;
}

function isMissingFile(error: unknown): error is Error & { code: string; path: string } {
  return error instanceof Error && "code" in error && "path" in error && typeof error.path === "string";
}

function isBug(error: Error): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}

function unavailableBecause(cause: unknown): AuthError<"UNAVAILABLE"> {
  return new AuthError("UNAVAILABLE", { retryAfter: 1 }, undefined, { cause });
}

function uniqueViolation(error: InstanceType<typeof pg.DatabaseError>): UniqueViolation | null {
  if (!codes.unique.test(error.code ?? "") || isMadeTwice(error)) return null;
  // Our indexes are named by table and column; what it says in words is translated, and has the value.
  const { table, constraint } = error;
  if (table === undefined || constraint === undefined || !constraint.startsWith(`${table}_`)) return null;
  return new UniqueViolation(table, constraint.slice(table.length + 1), { cause: withoutValues(error) });
}

/** A cause reaches the log; the values of a row do not. */
function withoutValues(error: InstanceType<typeof pg.DatabaseError>): Error {
  return Object.assign(new Error(error.message), { code: error.code });
}
