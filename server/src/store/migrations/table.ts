/** The table that remembers which migrations were applied. */
import type { Kysely, Selectable } from "kysely";
import type { Db } from "../../deps.ts";
import { dialectOf } from "../dialect.ts";
import type { Tables } from "../schema.ts";

export const migrationsTable = "countersign_migrations";

interface SchemaMigrationsTable {
  /** The migration's, from 1. Below that are the lock of PostgreSQL, 0, and the marks of `promotion/marks.ts`. */
  id: number;
  name: string;
  checksum: string;
  /** As the migration says it. */
  requires: number;
  applied_at: number;
}

export type AppliedRow = Selectable<SchemaMigrationsTable>;

export type MigrationsDb = Kysely<Tables & { [migrationsTable]: SchemaMigrationsTable }>;

export async function hasMigrationsTable(db: Db): Promise<boolean> {
  return (await dialectOf(db).readCatalogue(db, [migrationsTable])).size > 0;
}

export async function makeMigrationsTable(db: MigrationsDb): Promise<void> {
  const { text, integer, time, finish } = dialectOf(db).migrations;
  const create = db.schema
    .createTable(migrationsTable)
    .ifNotExists()
    .addColumn("id", integer, (column) => column.primaryKey().notNull())
    .addColumn("name", text, (column) => column.notNull())
    .addColumn("checksum", text, (column) => column.notNull())
    .addColumn("requires", integer, (column) => column.notNull())
    .addColumn("applied_at", time, (column) => column.notNull());
  await finish(create).execute();
}

export async function readApplied(db: MigrationsDb): Promise<AppliedRow[]> {
  return db
    .selectFrom(migrationsTable)
    .select(["id", "name", "checksum", "requires", "applied_at"])
    .where("id", ">", 0)
    .orderBy("id")
    .execute();
}
