/** The port that `createAuth({ database })` takes, and what a database that cannot be used says of itself. */
import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

/** A place where accounts and sessions live: `sqlite("file:./data/app.db")`. */
export interface Database {
  readonly dialect: "sqlite" | "postgres";
  /** Where it is, for people: an absolute path, `:memory:`, or a URL without its password. */
  readonly location: string;
  /**
   * Connects. `destroy()` on what it returns disconnects.
   *
   * @throws {StoreError} when the database cannot be used as it is.
   * @internal
   */
  open(): Promise<Kysely<Tables>>;
  /**
   * Connects once more, for the feed alone: where several nodes have the database, a node that has no connection to spare
   * must hear of revocations all the same.
   *
   * @internal
   */
  openFeedLine?(): Promise<FeedLine>;
  /**
   * Copies everything as it is at one moment, beside servers that work on it.
   *
   * @throws {StoreError} when there is no place for the copy.
   * @internal
   */
  copy(): Promise<DatabaseCopy>;
}

/** A copy of the same kind, which goes in the end. Only its owner may read it. */
export interface DatabaseCopy extends AsyncDisposable {
  readonly database: Database;
  /** As `DATABASE_URL` has it. It may hold a password. */
  readonly url: string;
}

/** A connection that only the feed uses. It comes back by itself. */
export interface FeedLine {
  readonly db: Kysely<Tables>;
  /** Calls back when another node says that there is news, and when the connection is lost. */
  onNews(listener: () => void): void;
  /** Calls back when a connection was made: perhaps to another server than before. */
  onConnect(listener: () => void): void;
  /** Tells the other nodes that there is news. They would find it anyway, a second later. Never fails. */
  tell(): Promise<void>;
  close(): Promise<void>;
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
  | "MIGRATION_FAILED"
  /** Everything in it was moved to another database. */
  | "MOVED"
  /** Another database is being moved to it. */
  | "INCOMPLETE"
  /** It was to be filled, and is not empty. */
  | "NOT_EMPTY"
  /** What was moved to it is not what was read. */
  | "COPY_DIFFERS";

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
