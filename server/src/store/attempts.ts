/** The verbs of the `attempts` table: counters with a window, and marks with an end. */
import type { Db } from "../deps.ts";

/**
 * Counts attempts, in one statement. Returns how many there are in the window now, and when it ends. A window that ends later than
 * any that could have begun by now is of a clock that was wrong: it begins anew, or nobody would get in until then.
 *
 * @param attempts.times How many are counted at once. Default: 1.
 */
export async function countAttempts(
  db: Db,
  attempts: { key: string; times?: number; now: number; windowMs: number },
): Promise<{ count: number; expiresAt: number }> {
  const { key, times = 1, now, windowMs } = attempts;
  // Twice as late: another node's clock may be ahead of this one's.
  const latest = now + 2 * windowMs;
  const row = await db
    .insertInto("attempts")
    .values({ key, count: times, expires_at: now + windowMs })
    .onConflict((conflict) =>
      conflict.column("key").doUpdateSet((update) => {
        const isOver = update.or([
          update("attempts.expires_at", "<=", now),
          update("attempts.expires_at", ">", latest),
        ]);
        return {
          count: update
            .case()
            .when(isOver)
            .then(update.ref("excluded.count"))
            .else(update("attempts.count", "+", update.ref("excluded.count")))
            .end(),
          expires_at: update
            .case()
            .when(isOver)
            .then(update.ref("excluded.expires_at"))
            .else(update.ref("attempts.expires_at"))
            .end(),
        };
      }),
    )
    .returning(["count", "expires_at"])
    .executeTakeFirstOrThrow();
  return { count: row.count, expiresAt: row.expires_at };
}

/** Takes attempts back that turned out to be honest: one by one, in the order in which they are counted, so that nobody waits crosswise. */
export async function forgiveAttempts(db: Db, keys: readonly string[]): Promise<void> {
  for (const key of keys.toSorted()) {
    await db
      .updateTable("attempts")
      .set((update) => ({ count: update("count", "-", 1) }))
      .where("key", "=", key)
      .where("count", ">", 0)
      .execute();
  }
}

/** Remembers a key until a time. */
export async function markKey(db: Db, key: string, expiresAt: number): Promise<void> {
  await db
    .insertInto("attempts")
    .values({ key, count: 0, expires_at: expiresAt })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ expires_at: expiresAt }))
    .execute();
}

/** Whether any of these keys is remembered. */
export async function isMarked(db: Db, keys: readonly string[], now: number): Promise<boolean> {
  const row = await db
    .selectFrom("attempts")
    .select("key")
    .where("key", "in", keys)
    .where("expires_at", ">", now)
    .executeTakeFirst();
  return row !== undefined;
}

/** Deletes up to `limit` counters and marks that have ended. Returns how many. */
export async function deleteEndedAttempts(db: Db, now: number, limit: number): Promise<number> {
  const ended = db.selectFrom("attempts").select("key").where("expires_at", "<=", now).limit(limit);
  // Once more, as one that begins anew meanwhile stays.
  const deletion = db.deleteFrom("attempts").where("key", "in", ended).where("expires_at", "<=", now);
  const { numDeletedRows } = await deletion.executeTakeFirst();
  return Number(numDeletedRows);
}
