import { closeSync, openSync, rmSync } from "node:fs";
import { sql } from "kysely";
import type { Db } from "../../deps.ts";

/** Makes the file of a copy beside the database's own, which only its owner may read. Writers go on meanwhile. */
export async function copySqlite(db: Db, path: string): Promise<string> {
  const file = `${path}.rehearsal`;
  // What a former one left that was broken off.
  removeSqlite(file);
  closeSync(openSync(file, "wx", 0o600));
  await sql`vacuum into ${file}`.execute(db);
  return file;
}

export function removeSqlite(file: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(`${file}${suffix}`, { force: true });
}
