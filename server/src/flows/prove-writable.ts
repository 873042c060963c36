import type { Deps } from "../deps.ts";
import { markKey } from "../store/attempts.ts";

/** Not the HMAC of anything, so no attempt is ever counted by it. */
const key = "whether the database can be written";

/**
 * Commits a row. To read is not enough: on a full disk sessions are read, and nobody can sign in.
 *
 * @throws {AuthError} `UNAVAILABLE`
 */
export async function proveWritable({ db }: Deps): Promise<void> {
  await markKey(db, key, 0);
}
