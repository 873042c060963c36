/** A database of a test's own, of the kind that the test's project runs on. */
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { postgres } from "@countersign/server/postgres";
import { type Database, sqlite } from "@countersign/server/sqlite";
import pg from "pg";
import { inject } from "vitest";
import { template } from "./postgres-setup.ts";
import { temporaryFolder } from "./temporary-folder.ts";

interface Options {
  /** Called with each statement's SQL. */
  readonly onStatement?: (sql: string) => void;
}

/** In memory, or a new one of the shared PostgreSQL. */
export function testDatabase(options: Options = {}): Database {
  if (inject("dialect") === "sqlite") return sqlite(":memory:", options);
  let url: Promise<string> | undefined;
  async function database(): Promise<Database> {
    url ??= createDatabase();
    return postgres(asStrict(await url), { ...options, poolSize: 5 });
  }
  return {
    dialect: "postgres",
    location: "the shared PostgreSQL",
    open: async () => (await database()).open(),
    copy: async () => (await database()).copy(),
    async openFeedLine() {
      const line = await (await database()).openFeedLine?.();
      if (line === undefined) throw new Error("PostgreSQL has a line for the feed");
      return line;
    },
  };
}

export interface SharedDatabase extends AsyncDisposable {
  /** For one node: each has connections of its own. */
  open(options?: Options): Database;
  /** All that is in it, as text. */
  text(): Promise<string>;
}

/** What several nodes can have open, one after the other or at once. */
export async function sharedDatabase(): Promise<SharedDatabase> {
  if (inject("dialect") === "postgres") {
    const url = await createDatabase();
    return {
      open: (options) => postgres(asStrict(url), { ...options, poolSize: 5 }),
      text: () => textOf(url),
      async [Symbol.asyncDispose]() {},
    };
  }
  const folder = await temporaryFolder();
  return {
    open: (options) => sqlite(folder.file("auth.db"), options),
    text: async () =>
      readdirSync(folder.path)
        .map((file) => readFileSync(folder.file(file), "latin1"))
        .join("\n"),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** A new database of the shared PostgreSQL, with tables and nothing in them, or empty. It goes when that stops. */
export async function createDatabase({ isEmpty = false } = {}): Promise<string> {
  const url = inject("postgresUrl");
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`create database ${name} template ${isEmpty ? "template0" : template} strategy file_copy`);
  await client.end();
  return Object.assign(new URL(url), { pathname: name }).href;
}

/** Every transaction, and every statement alone, is serializable: what the distributed engines of this protocol begin with. */
function asStrict(url: string): string {
  return `${url}?options=-cdefault_transaction_isolation%3Dserializable`;
}

async function textOf(url: string): Promise<string> {
  const client = new pg.Client(url);
  await client.connect();
  const tables = await client.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public'",
  );
  const texts: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await client.query<{ text: string }>(`select t::text as text from ${name} t`);
    texts.push(...rows.map(({ text }) => text));
  }
  await client.end();
  return texts.join("\n");
}
