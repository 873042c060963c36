/** What the databases spell differently, and all of it. PostgreSQL will be a second object of this shape. */
import { type ColumnDataType, type CreateTableBuilder, sql } from "kysely";

export interface MigrationDialect {
  readonly text: ColumnDataType;
  /** 64 bits: times in epoch milliseconds, and counts. */
  readonly integer: ColumnDataType;
  readonly bytes: ColumnDataType;
  /** Adds a primary key `id` that the database counts up, and that never comes back after a row is deleted. */
  countedId<Name extends string>(table: CreateTableBuilder<Name>): CreateTableBuilder<Name, "id">;
  /** Ends a table: on SQLite, STRICT refuses a value of another type than the column's. */
  finish<Name extends string, Column extends string>(
    table: CreateTableBuilder<Name, Column>,
  ): CreateTableBuilder<Name, Column>;
}

export const sqliteMigrations: MigrationDialect = {
  text: "text",
  integer: "integer",
  bytes: "blob",
  countedId: (table) => table.addColumn("id", "integer", (id) => id.primaryKey().autoIncrement().notNull()),
  finish: (table) => table.modifyEnd(sql`strict`),
};
