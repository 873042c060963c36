/** What the databases spell differently in a migration, and all of it. */
import { type ColumnDataType, type CreateTableBuilder, type RawBuilder, sql } from "kysely";

type ColumnType = ColumnDataType | RawBuilder<unknown>;

export interface MigrationDialect {
  readonly text: ColumnType;
  /** Text that is put in order and read by ranges: by its code points, whatever the language of the database. */
  readonly orderedText: ColumnType;
  /** 64 bits. */
  readonly integer: ColumnType;
  /** Epoch milliseconds, wherever the program sees it. */
  readonly time: ColumnType;
  readonly uuid: ColumnType;
  /** JSON's text, wherever the program sees it. */
  readonly json: ColumnType;
  readonly bytes: ColumnType;
  /** Adds a primary key `id` that the database counts up, and that never comes back after a row is deleted. */
  countedId<Name extends string>(table: CreateTableBuilder<Name>): CreateTableBuilder<Name, "id">;
  /** Ends a table: on SQLite, STRICT refuses a value of another type than the column's. */
  finish<Name extends string, Column extends string>(
    table: CreateTableBuilder<Name, Column>,
  ): CreateTableBuilder<Name, Column>;
}

export const sqliteMigrations: MigrationDialect = {
  text: "text",
  orderedText: "text",
  integer: "integer",
  time: "integer",
  uuid: "text",
  json: "text",
  bytes: "blob",
  countedId: (table) => table.addColumn("id", "integer", (id) => id.primaryKey().autoIncrement().notNull()),
  finish: (table) => table.modifyEnd(sql`strict`),
};

export const postgresMigrations: MigrationDialect = {
  text: "text",
  orderedText: sql`text collate "C"`,
  integer: "bigint",
  time: "timestamptz",
  uuid: "uuid",
  json: "jsonb",
  bytes: "bytea",
  countedId: (table) =>
    table.addColumn("id", "bigint", (id) => id.primaryKey().generatedByDefaultAsIdentity().notNull()),
  finish: (table) => table,
};
