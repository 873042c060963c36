/** What the databases do differently, beside the SQL that Kysely writes: each is an object of this shape. */
import type { Kysely } from "kysely";
import type { Db } from "../deps.ts";
import type { Catalogue } from "./catalogue.ts";
import type { StoreError } from "./database.ts";
import type { MigrationDialect } from "./migrations/dialect.ts";

export interface StoreDialect {
  readonly name: "sqlite" | "postgres";
  /** How migrations spell their columns. */
  readonly migrations: MigrationDialect;
  /** Takes the lock that one migrating process has until its transaction ends; the table of migrations is there. */
  lockMigrations<Tables>(transaction: Kysely<Tables>): Promise<void>;
  /** Reads the tables of these names; all tables where none are given. */
  readCatalogue(db: Db, names?: readonly string[]): Promise<Catalogue>;
  /** Works in an empty place of the same kind, which is gone afterwards. */
  inScratch<T>(db: Db, work: (scratch: Db) => Promise<T>): Promise<T>;
  /**
   * What an error of the driver, as it is or as the cause of an `UNAVAILABLE`, means at the start: a sentence about
   * `subject` for the operator. `null` when it says nothing about the database as a whole.
   */
  storeErrorFrom(error: unknown, subject: string): StoreError | null;
  /** Whether a transaction can ask for less than all others one after the other, which is what SQLite always gives. */
  readonly hasIsolationLevels: boolean;
  /** Whether the database undid a transaction for the sake of another one, so that it may be tried again. */
  isConflict(error: unknown): boolean;
}

/** The dialect of a database or of a transaction on it. Kysely's adapter goes wherever its `db` goes, so it carries ours. */
export function dialectOf<Tables>(db: Kysely<Tables>): StoreDialect {
  const { adapter } = db.getExecutor();
  if ("storeDialect" in adapter) return adapter.storeDialect as StoreDialect;
  throw new TypeError("this database was opened by somebody else");
}
