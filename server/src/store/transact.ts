import type { IsolationLevel, Kysely, Transaction } from "kysely";
import { retryConflicts } from "./conflict-retries.ts";
import { dialectOf } from "./dialect.ts";

/** Together they take a second and a half: what is still in the way then is no coincidence. */
const pausesMs = [0, 10, 20, 50, 100, 200, 400, 800];

/** Whether one transaction writes at a time, so that none is in another's way, however many rows it touches. */
export function hasOneWriter<Tables>(db: Kysely<Tables>): boolean {
  return !dialectOf(db).hasIsolationLevels;
}

/**
 * Works in a transaction, as if nobody else did at the time: what it has read is still so when it writes. When the
 * database undid it for the sake of another one (a conflict, a deadlock), it works again from the start, so `work` keeps
 * nothing outside of it.
 *
 * @param isolation `"read committed"` for what only counts: rows are then waited for, instead of being in conflict.
 * @throws {AuthError} `UNAVAILABLE` when others were in the way again and again.
 */
export async function transact<Tables, T>(
  db: Kysely<Tables>,
  work: (transaction: Transaction<Tables>) => Promise<T>,
  { isolation = "serializable" }: { readonly isolation?: IsolationLevel } = {},
): Promise<T> {
  const { hasIsolationLevels, isConflict } = dialectOf(db);
  const transaction = hasIsolationLevels ? db.transaction().setIsolationLevel(isolation) : db.transaction();
  return await retryConflicts(() => transaction.execute(work), { pausesMs, isConflict });
}
