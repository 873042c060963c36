/** The port that `createAuth({ database })` takes, and what a database that cannot be used says of itself. */
import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

/** A place where accounts and sessions live: `sqlite("file:./data/app.db")`. */
export interface Database {
  readonly dialect: "sqlite";
  /** Where it is, for people: an absolute path, or `:memory:`. */
  readonly location: string;
  /**
   * Connects. `destroy()` on what it returns disconnects.
   *
   * @throws {StoreError} when the database cannot be used as it is.
   * @internal
   */
  open(): Promise<Kysely<Tables>>;
}

/** Why a database cannot be used. The name is the contract; the sentence may be reworded. */
export type StoreFailure =
  /** It is not there and cannot be made, or is no file, or the disk refuses. */
  | "CANNOT_OPEN"
  /** This process may read it, but not write. */
  | "READ_ONLY"
  /** Something else is in the file, or it is damaged. */
  | "NOT_A_DATABASE"
  /** Another process held the write lock for longer than the busy timeout. */
  | "LOCKED"
  /** A later version of the program has migrated it. */
  | "NEWER_SCHEMA"
  /** A migration that was applied is not the one that this program has. */
  | "CHANGED_MIGRATION"
  /** The live tables are not what the migrations made. */
  | "SCHEMA_DIFFERS"
  /** A migration failed, and was undone. */
  | "MIGRATION_FAILED";

/**
 * A database that cannot be used. Its message is for the operator: what happened, and what to do. It names places and
 * tables, so it goes to the log or the terminal, never to a caller.
 */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly reason: StoreFailure;
  /** For `SCHEMA_DIFFERS`: each difference, a phrase each. Empty otherwise. */
  readonly differences: readonly string[];

  constructor(
    reason: StoreFailure,
    message: string,
    { cause, differences = [] }: { cause?: unknown; differences?: readonly string[] } = {},
  ) {
    super(message, { cause });
    this.reason = reason;
    this.differences = differences;
  }
}
