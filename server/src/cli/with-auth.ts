import { existsSync } from "node:fs";
import type { Caller, Deps } from "../deps.ts";
import type { AuthOptions } from "../options.ts";
import type { Database } from "../store/database.ts";
import { UsageError } from "./errors.ts";
import { importNamed } from "./import-named.ts";

/** Who acts, in the audit: nobody who is signed in, by the command line. */
export const commandLine: { readonly actorId: null; readonly caller: Caller } = {
  actorId: null,
  caller: { address: null, userAgent: "countersign cli", requestId: null },
};

/** `--auth`, of every command that works on the database. */
export const authOption = [
  "--auth <file#export>",
  "your application's auth, as in ./src/auth.ts#auth; default: what the environment says",
] as const;

/** What `--auth` says. */
export interface AuthOption {
  readonly auth?: string;
}

/**
 * Works on the database that the environment or the application's auth names, beside servers that have it open: they
 * learn of a change within a second. With `create`, a missing database is made; without, it is taken for a mistake.
 */
export async function withAuth<T>(
  work: (deps: Deps) => Promise<T>,
  { create = false, ...where }: AuthOption & { readonly create?: boolean } = {},
): Promise<T> {
  if (!create) requireDatabase(await databaseOf(where));
  const { createAuth } = await import("../create-auth.ts");
  await using auth = createAuth(await optionsOf(where));
  return await work(await auth.start());
}

/** The options of `--auth`, or those of the environment. What a command did is its output: the log's lines would be in it. */
export async function optionsOf(where: AuthOption): Promise<AuthOptions> {
  const { log: _, ...options } = await loggingOptionsOf(where);
  return options;
}

/** The database of `--auth`, or that of the environment, for which no secret is needed. */
export async function databaseOf(where: AuthOption): Promise<Database> {
  if (where.auth !== undefined) return (await optionsOf(where)).database;
  const { readEnvironmentWithoutSecret } = await import("../environment.ts");
  return readEnvironmentWithoutSecret().auth.database;
}

async function loggingOptionsOf({ auth: reference }: AuthOption): Promise<AuthOptions> {
  if (reference === undefined) {
    const { readEnvironment } = await import("../environment.ts");
    return readEnvironment().auth;
  }
  const { options } = await importNamed(reference, { kind: "auth", example: "./src/auth.ts#auth", is: isAuth });
  const { database } = options;
  if (database.dialect === "postgres") return options;
  const { sqlite } = await import("../store/sqlite.ts");
  // Opened by our own driver: the application's may be of another copy of this package, whose errors are not ours.
  return { ...options, database: sqlite(database.location) };
}

/** What `createAuth` returned, of whichever copy of this package. */
function isAuth(value: unknown): value is { readonly options: AuthOptions } {
  if (typeof value !== "object" || value === null || !("options" in value) || !("createContext" in value)) return false;
  return typeof value.options === "object" && value.options !== null && "database" in value.options;
}

/** Commands must not make a database because DATABASE_URL names another place than the server's. */
export function requireDatabase({ dialect, location }: Database): void {
  // Whether one is there is seen when it is opened.
  if (dialect === "postgres") return;
  if (location === ":memory:") {
    throw new UsageError("DATABASE_URL names a database in memory, which no other process can see. Name a file.");
  }
  if (!existsSync(location)) {
    throw new UsageError(
      `There is no database at ${location}. Set DATABASE_URL to the server's, or make one: countersign migrate up`,
    );
  }
}
