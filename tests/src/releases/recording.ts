/** What a release left in a database, and what people had of it: written down when it was made, and never changed. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import pg from "pg";
import { z } from "zod";

export const recordingsFolder = new URL("recordings/", import.meta.url);

export const kinds = ["sqlite", "postgres"] as const;
export type Kind = (typeof kinds)[number];

const Cell = z.union([z.string(), z.number(), z.boolean(), z.null(), z.object({ base64: z.string() })]);

export const Recording = z.object({
  /** Epoch milliseconds. */
  recordedAt: z.number(),
  /** As they were sent. */
  statements: z.array(z.string()),
  /** By table. Of SQLite as the driver has them, of PostgreSQL as `row_to_json` writes them. */
  rows: z.record(z.string(), z.array(z.record(z.string(), z.unknown()))),
  people: z.array(
    z.object({
      /** What was typed: a username, or an e-mail address. */
      login: z.string(),
      password: z.string(),
      /** `null` when the sign-in is answered. */
      refusal: z.string().nullable(),
    }),
  ),
  sessions: z.array(
    z.object({
      refreshToken: z.string(),
      accessToken: z.string(),
      cookie: z.string().nullable(),
      /** `null` when the refresh is answered. */
      refusal: z.string().nullable(),
    }),
  ),
});
export type Recording = z.infer<typeof Recording>;

const tables = [
  "countersign_migrations",
  "accounts",
  "sessions",
  "signing_keys",
  "attempts",
  "audit_events",
  "feed_events",
];

export async function readRows(kind: Kind, place: string): Promise<Recording["rows"]> {
  const read = kind === "sqlite" ? rowsOfSqlite : rowsOfPostgres;
  return read(place);
}

function rowsOfSqlite(file: string): Recording["rows"] {
  using db = new DatabaseSync(file, { readOnly: true });
  return Object.fromEntries(
    tables.map((table) => [table, db.prepare(`select * from ${table} order by 1`).all().map(bytesAsBase64)]),
  );
}

function bytesAsBase64(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : value,
    ]),
  );
}

async function rowsOfPostgres(url: string): Promise<Recording["rows"]> {
  const client = new pg.Client(url);
  await client.connect();
  const rows: [string, Record<string, unknown>[]][] = [];
  for (const table of tables) {
    const found = await client.query(`select row_to_json(t) as row from ${table} t`);
    rows.push([table, found.rows.map(({ row }) => row)]);
  }
  await client.end();
  return Object.fromEntries(rows);
}

/** Makes a database as the release left it. `place` is a new file, or an empty database. */
export async function restore(kind: Kind, place: string, { statements, rows }: Recording): Promise<void> {
  if (kind === "sqlite") restoreSqlite(place, statements, rows);
  else await restorePostgres(place, statements, rows);
}

function restoreSqlite(file: string, statements: readonly string[], rows: Recording["rows"]): void {
  using db = new DatabaseSync(file);
  for (const statement of statements) db.exec(statement);
  for (const [table, all] of Object.entries(rows)) {
    for (const row of all) {
      const values = Object.values(row).map((value) => inputOf(Cell.parse(value)));
      const names = Object.keys(row).join(", ");
      db.prepare(`insert into ${table} (${names}) values (${values.map(() => "?").join(", ")})`).run(...values);
    }
  }
}

function inputOf(cell: z.infer<typeof Cell>): SQLInputValue {
  if (typeof cell === "object" && cell !== null) return Buffer.from(cell.base64, "base64");
  return typeof cell === "boolean" ? Number(cell) : cell;
}

async function restorePostgres(url: string, statements: readonly string[], rows: Recording["rows"]): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  for (const statement of statements) await client.query(statement);
  for (const [table, all] of Object.entries(rows)) {
    for (const row of all) {
      await client.query(
        `insert into ${table} overriding system value select * from jsonb_populate_record(null::${table}, $1)`,
        [JSON.stringify(row)],
      );
    }
  }
  await client.query(
    "select setval(pg_get_serial_sequence('feed_events', 'id'), (select coalesce(max(id), 0) + 1 from feed_events))",
  );
  await client.end();
}
