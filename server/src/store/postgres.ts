/** PostgreSQL as the database: any number of nodes on one. */
import type { Database } from "./database.ts";

/** What `postgres` takes beside the URL. */
export interface PostgresOptions {
  /** Called with the SQL of each statement, just before it is sent: for counting and tracing. Never sees a value. */
  readonly onStatement?: (sql: string) => void;
  /** The most connections that this node opens. Default: 10. */
  readonly poolSize?: number;
  /** How long a statement may take, in milliseconds, before the database gives it up. Default: 5000. */
  readonly statementTimeoutMs?: number;
}

/**
 * PostgreSQL 14 or later. Nothing happens before `open()`.
 *
 * @param url As libpq has it: `postgres://user:password@host:5432/name?sslmode=verify-full`. Nothing but the user's own
 *   tables is touched: no extension, no trigger, and no right beyond that to create in the schema.
 * @throws {TypeError} when `url` is no such URL.
 *
 * @example
 * ```ts
 * const auth = createAuth({ database: postgres(url), secret, issuer });
 * ```
 */
export function postgres(url: string, options: PostgresOptions = {}): Database {
  const place = placeOf(url);
  return {
    dialect: "postgres",
    location: place,
    async open() {
      const { openPostgres } = await import("./postgres-open.ts");
      return openPostgres(url, { ...options, place });
    },
    async openFeedLine() {
      const { openFeedLine } = await import("./postgres-open.ts");
      return openFeedLine(url, options);
    },
    async copy() {
      const { copyPostgres, removePostgres, urlOfCopy } = await import("./rehearsal/postgres-copy.ts");
      const original = () => postgres(url, options).open();
      // Nobody waits for it, and whole tables are read.
      const database = postgres(urlOfCopy(url), { ...options, statementTimeoutMs: 600_000 });
      await using db = await original();
      await copyPostgres(db, database.open);
      return {
        database,
        url: urlOfCopy(url),
        async [Symbol.asyncDispose]() {
          await using db = await original();
          await removePostgres(db);
        },
      };
    },
  };
}

/** Where it is, for people: without the password, and without the parameters, which may hold one. */
function placeOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  // An @ in the name is that of a password with a slash in it.
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol) || !/^\/[^@]+$/.test(parsed.pathname)) {
    // Never the value: it may hold a password.
    throw new TypeError('"url" must be as in "postgres://user:password@host:5432/name"');
  }
  const { username, host, pathname } = parsed;
  return `postgres://${username === "" ? "" : `${username}@`}${host}${pathname}`;
}
