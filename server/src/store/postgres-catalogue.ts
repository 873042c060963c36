/** What tables, columns and indexes a PostgreSQL database has. */
import { sql } from "kysely";
import type { Db } from "../deps.ts";
import { byName } from "./by-name.ts";
import type { Catalogue, Column, Index } from "./catalogue.ts";

/** Reads the tables of these names that a query finds without naming a schema; all such tables where none are given. */
export async function readCatalogue(db: Db, names?: readonly string[]): Promise<Catalogue> {
  const wanted = names === undefined ? sql`true` : sql`t.relname in (${sql.join(names)})`;
  const tables = sql`
    pg_class t join pg_namespace n on n.oid = t.relnamespace
      and t.relkind in ('r', 'p') and pg_table_is_visible(t.oid)
      and n.nspname not in ('pg_catalog', 'information_schema') and ${wanted}`;
  const { rows: columns } = await sql<ColumnRow>`
    select t.relname as "table", a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
      case when a.attcollation <> y.typcollation then c.collname end as collation,
      a.attnotnull as notnull, pg_get_expr(d.adbin, d.adrelid) as "default", a.attidentity <> '' as identity,
      a.attgenerated <> '' as generated, q.seqcache > 1 as in_blocks,
      coalesce(array_position(k.indkey::int[], a.attnum::int), -1) + 1 as key_position
    from ${tables}
      join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
      join pg_type y on y.oid = a.atttypid
      left join pg_collation c on c.oid = a.attcollation
      left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
      left join pg_index k on k.indrelid = t.oid and k.indisprimary
      left join pg_depend o on o.refobjid = t.oid and o.refobjsubid = a.attnum and o.deptype = 'i' and a.attidentity <> ''
      left join pg_sequence q on q.seqrelid = o.objid
    order by t.relname, a.attnum`.execute(db);
  const { rows: indexed } = await sql<IndexedRow>`
    select t.relname as "table", i.relname as name, x.indisunique as "unique", x.indpred is not null as partial,
      pg_get_indexdef(x.indexrelid, position, true) as "column", x.indoption[position - 1] & 1 = 1 as descending
    from ${tables}
      join pg_index x on x.indrelid = t.oid and x.indisvalid and not x.indisprimary
      join pg_class i on i.oid = x.indexrelid
      cross join generate_series(1, x.indnkeyatts) as position
    order by t.relname, i.relname, position`.execute(db);
  const columnsOf = Map.groupBy(columns, ({ table }) => table);
  const indexesOf = Map.groupBy(indexed, ({ table }) => table);
  return new Map(
    [...columnsOf].map(([name, columns]) => [
      name,
      {
        columns: byName(columns.map(toColumn)),
        indexes: byName(toIndexes(indexesOf.get(name) ?? [])),
        autoincrement: columns.some(({ identity }) => identity),
        idsInBlocks: columns.some(({ in_blocks }) => in_blocks === true),
      },
    ]),
  );
}

interface ColumnRow {
  table: string;
  name: string;
  type: string;
  /** `null` where it is the type's own. */
  collation: string | null;
  notnull: boolean;
  default: string | null;
  identity: boolean;
  /** `null` where it is not counted. */
  in_blocks: boolean | null;
  generated: boolean;
  key_position: number;
}

interface IndexedRow {
  table: string;
  name: string;
  unique: boolean;
  partial: boolean;
  column: string;
  descending: boolean;
}

function toColumn(row: ColumnRow): Column {
  return {
    name: row.name,
    type: row.type.toUpperCase() + (row.collation === null ? "" : ` collate ${row.collation}`),
    nullable: !row.notnull,
    default: row.default,
    keyPosition: row.key_position,
    generated: row.generated,
  };
}

function toIndexes(rows: readonly IndexedRow[]): Index[] {
  return [...Map.groupBy(rows, ({ name }) => name)].map(([name, columns]) => ({
    name,
    unique: columns.some(({ unique }) => unique),
    partial: columns.some(({ partial }) => partial),
    columns: columns.map(({ column, descending }) => `${column}${descending ? " desc" : ""}`),
  }));
}
