/** Brings the schema up to date: numbered, checksummed, forward only. Why not Kysely's: docs/decisions/0001-migrations.md. */
import { AuthError } from "@countersign/shared";
import type { Kysely } from "kysely";
import type { Db, Now } from "../deps.ts";
import { StoreError } from "./database.ts";
import { sqliteMigrations } from "./migrations/dialect.ts";
import { migrations as ours } from "./migrations/index.ts";
import { checksum, type Migration, up } from "./migrations/migration.ts";
import type { Tables } from "./schema.ts";
import { storeErrorFrom } from "./sqlite-errors.ts";

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
  /** `changed`: applied, but not as this program has it. `unknown`: applied by a later version of the program. */
  readonly state: "applied" | "pending" | "changed" | "unknown";
  /** Epoch milliseconds; `null` while it is pending. */
  readonly appliedAt: number | null;
}

/** A migration that is done. */
export type AppliedMigration = Pick<MigrationStatus, "id" | "name">;

/** The table that remembers what was applied. */
interface SchemaMigrationsTable {
  id: number;
  name: string;
  checksum: string;
  applied_at: number;
}

const table = "countersign_migrations";

type MigrationsDb = Kysely<Tables & { [table]: SchemaMigrationsTable }>;

/**
 * Applies the migrations that are pending, each in a transaction of its own, and returns them in order. Of any number of
 * processes that do so at once, one applies each migration; the others wait, and find it done.
 *
 * @throws {StoreError} `NEWER_SCHEMA`, `CHANGED_MIGRATION`, `MIGRATION_FAILED` (the schema is as before), `LOCKED`,
 * `READ_ONLY`, `NOT_A_DATABASE`.
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
  const tables = await db.introspection.getTables();
  const rows = tables.some(({ name }) => name === table) ? await readApplied(db.$extendTables()) : [];
  const known = migrations.map((migration): MigrationStatus => {
    const { id, name } = migration;
    const row = rows.find((row) => row.id === id);
    if (row === undefined) return { id, name, state: "pending", appliedAt: null };
    const state = row.checksum === checksum(db.schema, migration) ? "applied" : "changed";
    return { id, name, state, appliedAt: row.applied_at };
  });
  const unknown = rows
    .filter((row) => !migrations.some(({ id }) => id === row.id))
    .map(({ id, name, applied_at }): MigrationStatus => ({ id, name, state: "unknown", appliedAt: applied_at }));
  return [...known, ...unknown];
}

/** Applies the first migration that is pending and returns it; `null` when there is none. */
async function applyNext(db: MigrationsDb, options: MigrateOptions): Promise<Migration | null> {
  const { migrations = ours, now, onProgress } = options;
  let running: Migration | null = null;
  try {
    // SQLite's transactions take the write lock as they begin (sqlite-driver.ts): nobody else can be here at once.
    return await db.transaction().execute(async (transaction) => {
      await makeTable(transaction);
      const applied = await readApplied(transaction);
      refuseForeign(transaction, applied, migrations);
      const next = migrations.find(({ id }) => !applied.some((row) => row.id === id)) ?? null;
      if (next === null) return null;
      running = next;
      const { id, name } = next;
      onProgress?.({ id, name, state: "applying" });
      await up(transaction, next);
      const row = { id, name, checksum: checksum(transaction.schema, next), applied_at: now() };
      await transaction.insertInto(table).values(row).execute();
      return next;
    });
  } catch (error) {
    throw forOperator(error, running);
  }
}

async function makeTable(db: MigrationsDb): Promise<void> {
  const { text, integer, finish } = sqliteMigrations;
  const create = db.schema
    .createTable(table)
    .ifNotExists()
    .addColumn("id", integer, (column) => column.primaryKey().notNull())
    .addColumn("name", text, (column) => column.notNull())
    .addColumn("checksum", text, (column) => column.notNull())
    .addColumn("applied_at", integer, (column) => column.notNull());
  await finish(create).execute();
}

async function readApplied(db: MigrationsDb): Promise<SchemaMigrationsTable[]> {
  return db.selectFrom(table).select(["id", "name", "checksum", "applied_at"]).orderBy("id").execute();
}

function refuseForeign(
  db: MigrationsDb,
  applied: readonly SchemaMigrationsTable[],
  migrations: readonly Migration[],
): void {
  const newest = applied.at(-1)?.id ?? 0;
  const newestKnown = migrations.at(-1)?.id ?? 0;
  if (newest > newestKnown) {
    throw new StoreError(
      "NEWER_SCHEMA",
      `The database has migration ${newest}, and this version of Countersign knows those up to ${newestKnown}. Run the version that migrated it, or a later one.`,
    );
  }
  for (const migration of migrations) {
    const row = applied.find(({ id }) => id === migration.id);
    if (row === undefined || row.checksum === checksum(db.schema, migration)) continue;
    throw new StoreError(
      "CHANGED_MIGRATION",
      `Migration ${migration.id} (${migration.name}) was applied to the database with other statements than this version of Countersign has. Run the version that made the database, or restore a backup that this one made.`,
    );
  }
}

function forOperator(error: unknown, running: Migration | null): unknown {
  if (error instanceof StoreError) return error;
  const known = storeErrorFrom(error, "The database");
  // A full or failing disk in the middle of a migration is the migration's failure.
  if (known !== null && (known.reason !== "CANNOT_OPEN" || running === null)) return known;
  const what =
    running === null
      ? `The table "${table}" could not be read or made`
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
