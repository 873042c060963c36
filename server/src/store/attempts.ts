/** The verbs of the `attempts` table: counters with a window, and marks with an end. */
import type { Db } from "../deps.ts";

/** Counts one attempt, in one statement. Returns how many there are in the window now, and when it ends. */
export async function countAttempt(
  db: Db,
  attempt: { key: string; now: number; windowMs: number },
): Promise<{ count: number; expiresAt: number }> {
  const { key, now, windowMs } = attempt;
  const row = await db
    .insertInto("attempts")
    .values({ key, count: 1, expires_at: now + windowMs })
    .onConflict((conflict) =>
      conflict.column("key").doUpdateSet((update) => ({
        count: update
          .case()
          .when("attempts.expires_at", "<=", now)
          .then(1)
          .else(update("attempts.count", "+", 1))
          .end(),
        expires_at: update
          .case()
          .when("attempts.expires_at", "<=", now)
          .then(now + windowMs)
          .else(update.ref("attempts.expires_at"))
          .end(),
      })),
    )
    .returning(["count", "expires_at"])
    .executeTakeFirstOrThrow();
  return { count: row.count, expiresAt: row.expires_at };
}

/** Takes attempts back that turned out to be honest. */
export async function forgiveAttempts(db: Db, keys: readonly string[]): Promise<void> {
  await db
    .updateTable("attempts")
    .set((update) => ({ count: update("count", "-", 1) }))
    .where("key", "in", keys)
    .where("count", ">", 0)
    .execute();
}

/** Remembers a key until a time. */
export async function markKey(db: Db, key: string, expiresAt: number): Promise<void> {
  await db
    .insertInto("attempts")
    .values({ key, count: 0, expires_at: expiresAt })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ expires_at: expiresAt }))
    .execute();
}

/** Whether a key is remembered. */
export async function isMarked(db: Db, key: string, now: number): Promise<boolean> {
  const row = await db
    .selectFrom("attempts")
    .select("key")
    .where("key", "=", key)
    .where("expires_at", ">", now)
    .executeTakeFirst();
  return row !== undefined;
}

/** Deletes up to `limit` counters and marks that have ended. Returns how many. */
export async function deleteEndedAttempts(db: Db, now: number, limit: number): Promise<number> {
  const ended = db.selectFrom("attempts").select("key").where("expires_at", "<=", now).limit(limit);
  const { numDeletedRows } = await db.deleteFrom("attempts").where("key", "in", ended).executeTakeFirst();
  return Number(numDeletedRows);
}
