/** Compares the tables that a database really has with those that the migrations make. */
import type { Db } from "../deps.ts";
import { StoreError } from "./database.ts";
import { dialectOf } from "./dialect.ts";
import { makeTables } from "./migrate.ts";

/** Tables by name. */
export type Catalogue = ReadonlyMap<string, Table>;

export interface Table {
  readonly columns: ReadonlyMap<string, Column>;
  /** Those that were made by CREATE INDEX, or that a UNIQUE constraint made. */
  readonly indexes: ReadonlyMap<string, Index>;
  readonly autoincrement: boolean;
  /** Whether each connection takes ids in advance, so that a lower one may be written much later than a higher. */
  readonly idsInBlocks: boolean;
}

export interface Column {
  readonly name: string;
  /** In capitals, as in `TEXT`. */
  readonly type: string;
  readonly nullable: boolean;
  /** An SQL expression. */
  readonly default: string | null;
  /** From 1; 0 when it is not in the primary key. */
  readonly keyPosition: number;
  readonly generated: boolean;
}

export interface Index {
  readonly name: string;
  readonly unique: boolean;
  readonly partial: boolean;
  /** Names, with what is not the default: `username_key collate NOCASE desc`. `(expression)` where it is no column. */
  readonly columns: readonly string[];
}

/**
 * Checks that the live tables are those that the migrations made, and names each difference. What the migrations make is
 * found by running them in a place of their own, so that it is written down once.
 *
 * What somebody else added is none of our business as long as our statements work: other tables, columns that may be left
 * out, indexes that are not unique. So the release before runs against the schema of the release after.
 *
 * @throws {StoreError} `SCHEMA_DIFFERS` with its `differences`.
 */
export async function checkCatalogue(db: Db): Promise<void> {
  const expected = await expectedCatalogue(db);
  const live = await readLive(db, [...expected.keys()]);
  const differences = [...expected].flatMap(([name, table]) => tableDifferences(name, table, live.get(name)));
  if (differences.length === 0) return;
  throw new StoreError(
    "SCHEMA_DIFFERS",
    `The database's tables are not what this version of Countersign expects: ${differences.join("; ")}. Undo these changes, or restore a backup.`,
    { differences },
  );
}

function expectedCatalogue(db: Db): Promise<Catalogue> {
  const { inScratch, readCatalogue } = dialectOf(db);
  return inScratch(db, async (scratch) => {
    await makeTables(scratch);
    return readCatalogue(scratch);
  });
}

async function readLive(db: Db, tables: readonly string[]): Promise<Catalogue> {
  const { readCatalogue, storeErrorFrom } = dialectOf(db);
  try {
    return await readCatalogue(db, tables);
  } catch (error) {
    throw storeErrorFrom(error, "The database") ?? error;
  }
}

function tableDifferences(name: string, expected: Table, live: Table | undefined): string[] {
  if (live === undefined) return [`table ${name} is missing`];
  return [
    ...[...expected.columns.values()].flatMap((column) =>
      columnDifferences(name, column, live.columns.get(column.name)),
    ),
    ...[...live.columns.values()].flatMap((column) =>
      expected.columns.has(column.name) ? [] : extraColumn(name, column),
    ),
    ...[...expected.indexes.values()].flatMap((index) => indexDifferences(index, live.indexes.get(index.name))),
    ...[...live.indexes.values()].flatMap((index) => (expected.indexes.has(index.name) ? [] : extraIndex(name, index))),
    ...(expected.autoincrement && !live.autoincrement ? [`table ${name} may use an id twice (no AUTOINCREMENT)`] : []),
    ...(live.idsInBlocks
      ? [`table ${name} gives ids in blocks, which readers of the feed would miss (set CACHE 1)`]
      : []),
  ];
}

function columnDifferences(table: string, expected: Column, live: Column | undefined): string[] {
  if (live === undefined) return [`table ${table} lacks column ${expected.name}`];
  const column = `column ${table}.${expected.name}`;
  const differences: string[] = [];
  if (live.type !== expected.type)
    differences.push(`${column} is ${live.type || "untyped"} instead of ${expected.type}`);
  if (live.nullable && !expected.nullable) differences.push(`${column} allows NULL`);
  if (!live.nullable && expected.nullable) differences.push(`${column} does not allow NULL`);
  if (live.default !== expected.default) {
    differences.push(`${column} has default ${live.default ?? "none"} instead of ${expected.default ?? "none"}`);
  }
  if (live.generated) differences.push(`${column} is generated`);
  if (live.keyPosition === 0 && expected.keyPosition !== 0) differences.push(`${column} is not in the primary key`);
  else if (live.keyPosition !== expected.keyPosition)
    differences.push(`${column} has another place in the primary key`);
  return differences;
}

/** Our inserts do not name it, so it must do without a value; in the primary key, it would let rows of ours be there twice. */
function extraColumn(table: string, { name, nullable, default: value, generated, keyPosition }: Column): string[] {
  if (keyPosition !== 0)
    return [`table ${table} has a column ${name} in its primary key that this version does not know`];
  if (nullable || value !== null || generated) return [];
  return [`table ${table} has a column ${name} that needs a value and that this version does not know`];
}

function indexDifferences(expected: Index, live: Index | undefined): string[] {
  if (live === undefined) return [`index ${expected.name} is missing`];
  const differences: string[] = [];
  if (expected.unique && !live.unique) differences.push(`index ${expected.name} is not unique`);
  if (!expected.unique && live.unique) differences.push(`index ${expected.name} is unique`);
  if (live.partial && !expected.partial) differences.push(`index ${expected.name} leaves rows out`);
  const [columns, wanted] = [live.columns.join(", "), expected.columns.join(", ")];
  if (columns !== wanted) differences.push(`index ${expected.name} is on (${columns}) instead of (${wanted})`);
  return differences;
}

/** It would refuse rows that we take for valid. */
function extraIndex(table: string, index: Index): string[] {
  if (!index.unique) return [];
  return [
    `table ${table} has a unique index ${index.name} on (${index.columns.join(", ")}) that this version does not know`,
  ];
}
