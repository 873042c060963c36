import { sql } from "kysely";
import type { Db } from "../../deps.ts";
import { StoreError } from "../database.ts";
import { makeTables, migrationStatus } from "../migrate.ts";
import { migrations } from "../migrations/index.ts";
import { migrationsTable } from "../migrations/table.ts";
import { transferred } from "../transfer.ts";

/** The schema of a copy, in the same database. */
const schema = "countersign_rehearsal";

/** The same database, as somebody sees it to whom the copy is all there is. */
export function urlOfCopy(url: string): string {
  const copy = new URL(url);
  const options = copy.searchParams.get("options");
  copy.searchParams.set("options", `${options === null ? "" : `${options} `}-csearch_path=${schema}`);
  return copy.href;
}

/**
 * Makes the tables as they are now, and fills them in one snapshot.
 *
 * @param openCopy Connects by {@link urlOfCopy}.
 * @throws {StoreError} `READ_ONLY` when the user may make no schema.
 */
export async function copyPostgres(db: Db, openCopy: () => Promise<Db>): Promise<void> {
  const applied = new Set((await migrationStatus(db)).flatMap(({ id, state }) => (state === "applied" ? [id] : [])));
  // What a former one left that was broken off.
  await removePostgres(db);
  await sql`create schema ${sql.id(schema)}`.execute(db).catch((cause: unknown) => {
    const what = `The copy cannot be made, as a schema "${schema}" in the same database.`;
    throw new StoreError("READ_ONLY", `${what} Its user needs the right to: GRANT CREATE ON DATABASE … TO …`, {
      cause,
    });
  });
  await using copy = await openCopy();
  await makeTables(
    copy,
    migrations.filter(({ id }) => applied.has(id)),
  );
  await db
    .transaction()
    .setIsolationLevel("repeatable read")
    .execute((trx) => fill(trx, copy));
}

async function fill(trx: Db, copy: Db): Promise<void> {
  // However many rows there are.
  await sql`set local statement_timeout = 0`.execute(trx);
  for (const table of [migrationsTable, ...transferred.map(([name]) => name)]) {
    const columns = sql.join((await columnsOf(copy, table)).map((name) => sql.ref(name)));
    await sql`
      insert into ${sql.table(`${schema}.${table}`)} (${columns}) overriding system value
      select ${columns} from ${sql.table(table)}`.execute(trx);
  }
  const next = sql`(select coalesce(max(id), 0) + 1 from ${sql.table(`${schema}.feed_events`)})`;
  await sql`select setval(pg_get_serial_sequence(${`${schema}.feed_events`}, 'id'), ${next})`.execute(trx);
}

async function columnsOf(copy: Db, table: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select column_name as name from information_schema.columns
    where table_schema = ${schema} and table_name = ${table} order by ordinal_position`.execute(copy);
  return rows.map(({ name }) => name);
}

export async function removePostgres(db: Db): Promise<void> {
  await sql`drop schema if exists ${sql.id(schema)} cascade`.execute(db);
}
