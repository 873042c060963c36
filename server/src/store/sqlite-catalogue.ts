/** What tables, columns and indexes an SQLite database has. */
import { sql } from "kysely";
import type { Db } from "../deps.ts";
import { byName } from "./by-name.ts";
import type { Catalogue, Column, Index } from "./catalogue.ts";

/** Reads the tables of these names; all tables where none are given. */
export async function readCatalogue(db: Db, names?: readonly string[]): Promise<Catalogue> {
  const wanted = names === undefined ? sql`true` : sql`m.name in (${sql.join(names)})`;
  const from = sql`from sqlite_schema m`;
  const where = sql`where m.type = 'table' and m.name not like 'sqlite\\_%' escape '\\' and ${wanted}`;
  const { rows: tables } = await sql<TableRow>`select m.name, m.sql ${from} ${where} order by m.name`.execute(db);
  const { rows: columns } = await sql<ColumnRow>`
    select m.name as "table", c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden
    ${from} join pragma_table_xinfo(m.name) c ${where} order by m.name, c.cid`.execute(db);
  const { rows: indexed } = await sql<IndexedRow>`
    select m.name as "table", i.name, i."unique", i.partial, c.name as "column", c.coll, c.desc
    ${from} join pragma_index_list(m.name) i join pragma_index_xinfo(i.name) c
    ${where} and i.origin <> 'pk' and c.key = 1 order by m.name, i.name, c.seqno`.execute(db);
  return new Map(
    tables.map(({ name, sql }) => [
      name,
      {
        columns: byName(columns.filter(({ table }) => table === name).map(toColumn)),
        indexes: byName(toIndexes(indexed.filter(({ table }) => table === name))),
        autoincrement: /\bautoincrement\b/i.test(sql),
        idsInBlocks: false,
      },
    ]),
  );
}

interface TableRow {
  name: string;
  sql: string;
}

interface ColumnRow {
  table: string;
  name: string;
  type: string;
  notnull: number;
  dflt_value: string | null;
  pk: number;
  /** 2 and 3: generated (https://sqlite.org/pragma.html#pragma_table_xinfo). */
  hidden: number;
}

interface IndexedRow {
  table: string;
  name: string;
  unique: number;
  partial: number;
  column: string | null;
  coll: string;
  desc: number;
}

function toColumn(row: ColumnRow): Column {
  return {
    name: row.name,
    type: row.type.toUpperCase(),
    nullable: row.notnull === 0,
    default: row.dflt_value,
    keyPosition: row.pk,
    generated: row.hidden > 1,
  };
}

function toIndexes(rows: readonly IndexedRow[]): Index[] {
  return [...Map.groupBy(rows, ({ name }) => name)].map(([name, columns]) => ({
    name,
    unique: columns.some(({ unique }) => unique === 1),
    partial: columns.some(({ partial }) => partial === 1),
    columns: columns.map(
      ({ column, coll, desc }) =>
        `${column ?? "(expression)"}${coll.toUpperCase() === "BINARY" ? "" : ` collate ${coll.toUpperCase()}`}${desc === 1 ? " desc" : ""}`,
    ),
  }));
}
