/** Opens a PostgreSQL: loaded when one is opened, since it takes a while and most starts are on SQLite. */
import { Kysely, PostgresAdapter, PostgresDriver, PostgresIntrospector, sql } from "kysely";
import pg from "pg";
import { type FeedLine, StoreError } from "./database.ts";
import type { StoreDialect } from "./dialect.ts";
import { postgresMigrations } from "./migrations/dialect.ts";
import type { PostgresOptions } from "./postgres.ts";
import { readCatalogue } from "./postgres-catalogue.ts";
import { preparedPool } from "./postgres-driver.ts";
import { codeOf, isConflict, storeErrorFrom } from "./postgres-errors.ts";
import { TimesQueryCompiler } from "./postgres-times.ts";
import type { Tables } from "./schema.ts";

/** How long a request waits for a connection, and a connection for a lock: a caller had rather hear that it should come again. */
const patienceMs = 2_000;

const postgresDialect: StoreDialect = {
  migrations: postgresMigrations,
  async lockMigrations(transaction) {
    // A migration takes as long as it takes, and whoever starts meanwhile waits for it.
    await sql`set local statement_timeout = 0`.execute(transaction);
    await sql`set local lock_timeout = '60s'`.execute(transaction);
    // The lock of a row, which every engine of this protocol has; advisory locks some have not.
    await sql`
      insert into countersign_migrations (id, name, checksum, requires, applied_at) values (0, 'lock', '', 0, now())
      on conflict (id) do update set applied_at = excluded.applied_at`.execute(transaction);
    // For a table, behind which everybody else would queue up: better tried again.
    await sql`set local lock_timeout = ${sql.lit(patienceMs)}`.execute(transaction);
  },
  readCatalogue,
  async inScratch(db, work) {
    const scratch = await db.startTransaction().execute();
    try {
      await sql`set local search_path = pg_temp`.execute(scratch);
      return await work(scratch);
    } catch (cause) {
      if (codeOf(cause) !== "42501") throw cause;
      const what =
        "The database lets this program's user make no temporary tables, by which its own are checked (42501).";
      throw new StoreError("READ_ONLY", `${what} Its user needs the right to: GRANT TEMPORARY ON DATABASE … TO …`, {
        cause,
      });
    } finally {
      await scratch.rollback().execute();
    }
  },
  storeErrorFrom,
  name: "postgres",
  hasIsolationLevels: true,
  isConflict,
};

/** @param options.place Where it is, for people. */
export async function openPostgres(
  url: string,
  { place, ...options }: PostgresOptions & { readonly place: string },
): Promise<Kysely<Tables>> {
  let db: Kysely<Tables> | undefined;
  try {
    db = kyselyOn(poolOf(url, options), options);
    // A time, to see that it can be read.
    await sql`select now()`.execute(db);
    return db;
  } catch (error) {
    await db?.destroy();
    throw storeErrorFrom(error, `The database ${place}`) ?? error;
  }
}

const channel = "countersign_feed";

/** Connections of its own, which are opened again when they are lost. One reads, and listens where the database can tell. */
export function openFeedLine(url: string, options: PostgresOptions): FeedLine {
  let tellMe = () => {};
  let sayConnected = () => {};
  const open = (onConnect: (client: pg.ClientBase) => Promise<void>) =>
    poolOf(url, { ...options, poolSize: 1 }, { idleTimeoutMillis: 0 }, onConnect);
  const reader = open(async (client) => {
    sayConnected();
    client.on("notification", () => tellMe());
    // Not every engine of this protocol has it, nor every pooler: polling finds the same, later.
    await client.query(`listen ${channel}`).catch(() => {});
  });
  reader.on("error", () => tellMe());
  const db = kyselyOn(reader, options);
  // To tell the others is not in the way of reading.
  const teller = open(async () => {});
  return {
    db,
    onNews(listener) {
      tellMe = listener;
    },
    onConnect(listener) {
      sayConnected = listener;
    },
    tell: () =>
      teller.query("select pg_notify($1, '')", [channel]).then(
        () => {},
        () => {},
      ),
    async close() {
      await Promise.all([db.destroy(), teller.end()]);
    },
  };
}

function poolOf(
  url: string,
  { poolSize = 10, statementTimeoutMs = 5_000 }: PostgresOptions,
  more: pg.PoolConfig = {},
  prepare: (client: pg.ClientBase) => Promise<void> = async () => {},
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    types: { getTypeParser },
    application_name: "countersign",
    max: poolSize,
    connectionTimeoutMillis: patienceMs,
    // A server that is no longer the primary may keep its connections.
    maxLifetimeSeconds: 1_800,
    lock_timeout: patienceMs,
    statement_timeout: statementTimeoutMs,
    // Where the database or the network hangs, nobody else gives the statement up.
    query_timeout: statementTimeoutMs + patienceMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    keepAlive: true,
    async onConnect(client) {
      client.on("error", () => {});
      // The database or the role may have another, and then no time could be read.
      await client.query("set datestyle to iso");
      await prepare(client);
    },
    ...more,
  });
  // A connection that is lost while nobody uses it is replaced by the next who asks; one that is in use fails its statement.
  // Without a listener, either would end the process.
  pool.on("error", () => {});
  return pool;
}

function kyselyOn(pool: pg.Pool, { onStatement = () => {} }: PostgresOptions): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => Object.assign(new PostgresAdapter(), { storeDialect: postgresDialect }),
      createDriver: () => new PostgresDriver({ pool: preparedPool(pool, { onStatement }) }),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new TimesQueryCompiler(),
    },
  });
}

const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  [pg.types.builtins.INT8]: Number,
  [pg.types.builtins.TIMESTAMPTZ]: timeIn,
  // The program reads JSON itself, as it does from SQLite.
  [pg.types.builtins.JSONB]: (text) => text,
};

/** @throws {Error} for a time in another style than ISO 8601: no guess may decide whether a session has ended. */
function timeIn(text: string): number {
  const parsed: unknown = pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ)(text);
  if (parsed instanceof Date && !Number.isNaN(parsed.getTime())) return parsed.getTime();
  throw Object.assign(new Error("a time was not in ISO 8601: set datestyle to ISO for this user"), {
    code: "DATESTYLE",
  });
}

function getTypeParser(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  return parsers[oid] ?? pg.types.getTypeParser(oid, format as "text");
}
