/** Brings the schema up to date: numbered, checksummed, forward only. Why not Kysely's: docs/decisions/0001-migrations.md. */
import { AuthError } from "@countersign/shared";
import type { Db, Now } from "../deps.ts";
import { StoreError } from "./database.ts";
import { dialectOf } from "./dialect.ts";
import { readMark, refuseMarked } from "./marks.ts";
import { migrations as ours } from "./migrations/index.ts";
import { checksum, type Migration, up } from "./migrations/migration.ts";
import {
  type AppliedRow,
  hasMigrationsTable,
  type MigrationsDb,
  makeMigrationsTable,
  migrationsTable,
  readApplied,
} from "./migrations/table.ts";
import { transact } from "./transact.ts";

/** What `migrate` takes beside the database. */
export interface MigrateOptions {
  readonly now: Now;
  /** Called when a migration begins, and again when it is on disk. */
  readonly onProgress?: (progress: MigrationProgress) => void;
  /** In order. Default: those of this program. */
  readonly migrations?: readonly Migration[];
}

/** Where a migration is. */
export interface MigrationProgress {
  readonly id: number;
  readonly name: string;
  readonly state: "applying" | "applied";
}

/** A migration and what the database knows of it. */
export interface MigrationStatus {
  readonly id: number;
  readonly name: string;
  /**
   * `changed`: applied, but not as this program has it. `later`: applied by a later version of the program, and this one
   * still runs on it. `unknown`: the same, and this one is too old for it.
   */
  readonly state: "applied" | "pending" | "changed" | "later" | "unknown";
  /** Epoch milliseconds; `null` while it is pending. */
  readonly appliedAt: number | null;
}

/** A migration that is done. */
export type AppliedMigration = Pick<MigrationStatus, "id" | "name">;

/**
 * Applies the migrations that are pending, each in a transaction of its own, and returns them in order. Of any number of
 * processes that do so at once, one applies each migration; the others wait, and find it done.
 *
 * @throws {StoreError} `NEWER_SCHEMA`, `CHANGED_MIGRATION`, `MIGRATION_FAILED` (the schema is as before), `MOVED`,
 * `INCOMPLETE`, `LOCKED`, `READ_ONLY`, `NOT_A_DATABASE`.
 */
export async function migrate(db: Db, options: MigrateOptions): Promise<readonly AppliedMigration[]> {
  const applied: AppliedMigration[] = [];
  for (;;) {
    const migration = await applyNext(db.$extendTables(), options);
    if (migration === null) return applied;
    const { id, name } = migration;
    applied.push({ id, name });
    options.onProgress?.({ id, name, state: "applied" });
  }
}

/** What is applied and what is pending, in order. Changes nothing. */
export async function migrationStatus(
  db: Db,
  { migrations = ours }: Pick<MigrateOptions, "migrations"> = {},
): Promise<readonly MigrationStatus[]> {
  const rows = (await hasMigrationsTable(db)) ? await readApplied(db.$extendTables()) : [];
  const known = migrations.map((migration): MigrationStatus => {
    const { id, name } = migration;
    const row = rows.find((row) => row.id === id);
    if (row === undefined) return { id, name, state: "pending", appliedAt: null };
    const state = row.checksum === checksum(db, migration) ? "applied" : "changed";
    return { id, name, state, appliedAt: row.applied_at };
  });
  const unknown = rows
    .filter((row) => !migrations.some(({ id }) => id === row.id))
    .map((row): MigrationStatus => {
      const newest = newestOf(migrations);
      const state = row.id > newest && row.requires <= newest ? "later" : "unknown";
      return { id: row.id, name: row.name, state, appliedAt: row.applied_at };
    });
  return [...known, ...unknown];
}

/** Applies the first migration that is pending and returns it; `null` when there is none. */
async function applyNext(db: MigrationsDb, options: MigrateOptions): Promise<Migration | null> {
  const { migrations = ours, now, onProgress } = options;
  let running: Migration | null = null;
  try {
    const work = async (transaction: MigrationsDb) => {
      await makeMigrationsTable(transaction);
      // Nobody else can be here at once.
      await dialectOf(db).lockMigrations(transaction);
      refuseMarked(await readMark(transaction));
      const applied = await readApplied(transaction);
      refuseForeign(transaction, applied, migrations);
      const next = migrations.find(({ id }) => !applied.some((row) => row.id === id)) ?? null;
      if (next === null) return null;
      running = next;
      const { id, name } = next;
      onProgress?.({ id, name, state: "applying" });
      await up(transaction, next);
      const row = { id, name, checksum: checksum(transaction, next), requires: next.requires, applied_at: now() };
      await transaction.insertInto(migrationsTable).values(row).execute();
      return next;
    };
    // Whoever comes second waits for the lock, and then sees what the first has done.
    return await transact(db, work, { isolation: "read committed" });
  } catch (error) {
    throw forOperator(db, error, running);
  }
}

/** The table of migrations, and of the migrations given, where there is nothing yet. */
export async function makeTables(db: Db, migrations: readonly Migration[] = ours): Promise<void> {
  await makeMigrationsTable(db.$extendTables());
  for (const migration of migrations) await up(db, migration);
}

function refuseForeign(db: MigrationsDb, applied: readonly AppliedRow[], migrations: readonly Migration[]): void {
  const newestKnown = newestOf(migrations);
  const tooNew = applied.find(({ requires }) => requires > newestKnown);
  if (tooNew !== undefined) {
    throw new StoreError(
      "NEWER_SCHEMA",
      `The database has migration ${tooNew.id}, and this version of Countersign knows those up to ${newestKnown}, which is too old for it. Run the version that migrated it, or a later one.`,
    );
  }
  for (const migration of migrations) {
    const row = applied.find(({ id }) => id === migration.id);
    if (row === undefined || row.checksum === checksum(db, migration)) continue;
    throw new StoreError(
      "CHANGED_MIGRATION",
      `Migration ${migration.id} (${migration.name}) was applied to the database with other statements than this version of Countersign has. Run the version that made the database, or restore a backup that this one made.`,
    );
  }
}

function newestOf(migrations: readonly Migration[]): number {
  return migrations.at(-1)?.id ?? 0;
}

function forOperator(db: MigrationsDb, error: unknown, running: Migration | null): unknown {
  if (error instanceof StoreError) return error;
  const known = dialectOf(db).storeErrorFrom(error, "The database");
  // A full or failing disk in the middle of a migration is the migration's failure.
  if (known !== null && (known.reason !== "CANNOT_OPEN" || running === null)) return known;
  const what =
    running === null
      ? `The table "${migrationsTable}" could not be read or made`
      : `Migration ${running.id} (${running.name}) failed and was undone: the database is as it was`;
  return new StoreError(
    "MIGRATION_FAILED",
    `${what}. The database says: ${saidBy(error)}. If tables of another application are in the way, give Countersign a database of its own.`,
    { cause: error },
  );
}

function saidBy(error: unknown): string {
  const said = error instanceof AuthError ? error.cause : error;
  return said instanceof Error ? said.message : String(said);
}
