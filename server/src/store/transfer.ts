/** Whole tables, row by row, from one database to another: the same rows whatever the dialect. */
import { sql } from "kysely";
import type { Db } from "../deps.ts";
import type { Tables } from "./schema.ts";

/** Each table, and the column by which it is read in order. What refers to another comes after it. */
export const transferred = [
  ["accounts", "id"],
  ["sessions", "id"],
  ["signing_keys", "id"],
  ["attempts", "key"],
  ["audit_events", "id"],
  ["account_deletions", "account_id"],
  ["tallies", "key"],
  ["feed_events", "id"],
] as const satisfies readonly (readonly [keyof Tables, string])[];

export type TransferredTable = (typeof transferred)[number][0];

/** A row as JSON has it: bytes are base64, under a name that no column's text can be mistaken for. */
export type TransferredRow = Readonly<Record<string, string | number | null | { readonly base64: string }>>;

/** A row as the driver has it. */
export type Row = Record<string, string | number | null | Uint8Array>;

/** Rows in one statement. */
export const pageSize = 500;

/** Reads a table in the order of its key, page by page. */
export async function* readPages(db: Db, table: TransferredTable): AsyncGenerator<readonly Row[]> {
  for (let page = await readPage(db, table, null); page.length > 0; ) {
    yield page;
    if (page.length < pageSize) return;
    page = await readPage(db, table, page.at(-1)?.[keyOf(table)]);
  }
}

/** The same row by row, as JSON has them. */
export async function* readRows(db: Db, table: TransferredTable): AsyncGenerator<TransferredRow> {
  for await (const page of readPages(db, table)) for (const row of page) yield toTransferred(row);
}

async function readPage(db: Db, table: TransferredTable, after: Row[string] | undefined): Promise<readonly Row[]> {
  const key = sql.ref(keyOf(table));
  const where = after === null || after === undefined ? sql`` : sql`where ${key} > ${after}`;
  const page = sql<Row>`select * from ${sql.table(table)} ${where} order by ${key} limit ${sql.lit(pageSize)}`;
  return (await page.execute(db)).rows;
}

/** Writes those rows of an export that are not there yet. Returns how many. */
export async function writeRows(db: Db, table: TransferredTable, rows: readonly TransferredRow[]): Promise<number> {
  // The feed of another database has its own order, and that this one was moved is not true of the other.
  const isFeed = table === "feed_events";
  const values = rows.map(fromTransferred);
  return insertMissing(db, table, isFeed ? await missingEvents(db, values) : values);
}

/** Without ids, by which the others know what is there: an event is the same when all else is. */
async function missingEvents(db: Db, rows: readonly Row[]): Promise<readonly Row[]> {
  const nameOf = ({ kind, subject, version, created_at }: Readonly<Record<string, unknown>>) =>
    JSON.stringify([kind, subject, version, created_at]);
  const subjects = rows.map(({ subject }) => String(subject));
  const there = await db
    .selectFrom("feed_events")
    .select(["kind", "subject", "version", "created_at"])
    .where("subject", "in", subjects)
    .execute();
  const known = new Set(there.map(nameOf));
  return rows.filter((row) => row.kind !== "moved" && !known.has(nameOf(row))).map(({ id: _, ...row }) => row);
}

/** Inserts those rows whose key, or whose names, are not there yet. Returns how many. */
export async function insertMissing(db: Db, table: TransferredTable, rows: readonly Row[]): Promise<number> {
  if (rows.length === 0) return 0;
  const { numInsertedOrUpdatedRows } = await db
    .insertInto(table)
    // Which table they are of, and so which columns they have, only the caller knows; the database checks it.
    .values(rows as never)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  return Number(numInsertedOrUpdatedRows ?? 0);
}

export function keyOf(table: TransferredTable): string {
  return transferred.find(([name]) => name === table)?.[1] ?? "id";
}

function toTransferred(row: Row): TransferredRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : value,
    ]),
  );
}

function fromTransferred(row: TransferredRow): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const isBytes = typeof value === "object" && value !== null;
      return [name, isBytes ? new Uint8Array(Buffer.from(value.base64, "base64")) : value];
    }),
  );
}
