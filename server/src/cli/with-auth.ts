import { existsSync } from "node:fs";
import type { Caller, Deps } from "../deps.ts";
import { UsageError } from "./errors.ts";

/** Who acts, in the audit: nobody who is signed in, by the command line. */
export const commandLine: { readonly actorId: null; readonly caller: Caller } = {
  actorId: null,
  caller: { address: null, userAgent: "countersign cli", requestId: null },
};

/**
 * Works on the database that the environment names, beside servers that have it open: they learn of a change within a
 * second. With `create`, a missing database is made; without, it is taken for a mistake in DATABASE_URL.
 */
export async function withAuth<T>(
  work: (deps: Deps) => Promise<T>,
  { create = false }: { create?: boolean } = {},
): Promise<T> {
  const { readEnvironment, readEnvironmentWithoutSecret } = await import("../environment.ts");
  if (!create) requireDatabase(readEnvironmentWithoutSecret().auth.database.location);
  // What a command did is its output: the log's lines would be in it.
  const { log: _, ...options } = readEnvironment().auth;
  const { createAuth } = await import("../create-auth.ts");
  await using auth = createAuth(options);
  return await work(await auth.start());
}

/** Commands must not make a database because DATABASE_URL names another place than the server's. */
export function requireDatabase(location: string): void {
  if (location === ":memory:") {
    throw new UsageError("DATABASE_URL names a database in memory, which no other process can see. Name a file.");
  }
  if (!existsSync(location)) {
    throw new UsageError(
      `There is no database at ${location}. Set DATABASE_URL to the server's, or make one: countersign migrate up`,
    );
  }
}
