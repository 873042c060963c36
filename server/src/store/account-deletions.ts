/** The verbs of the `account_deletions` table: who has asked for their account to be deleted, and when that is due. */
import type { AccountId } from "@countersign/shared/schemas";
import type { Db } from "../deps.ts";

/** Once more puts it off. */
export async function scheduleDeletion(db: Db, id: AccountId, deleteAt: number): Promise<void> {
  await db
    .insertInto("account_deletions")
    .values({ account_id: id, delete_at: deleteAt })
    .onConflict((conflict) => conflict.column("account_id").doUpdateSet({ delete_at: deleteAt }))
    .execute();
}

/** Returns whether it was asked for. */
export async function forgetDeletion(db: Db, id: AccountId): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom("account_deletions").where("account_id", "=", id).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** When accounts are going to be deleted, by id; of those that are. */
export async function findDeletions(db: Db, ids: readonly AccountId[]): Promise<ReadonlyMap<AccountId, number>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom("account_deletions").selectAll().where("account_id", "in", ids).execute();
  return new Map(rows.map(({ account_id, delete_at }) => [account_id, delete_at]));
}

/** Up to `limit` accounts that are due. One that is disabled waits: its owner could not keep it. */
export async function listDueDeletions(db: Db, now: number, limit: number): Promise<AccountId[]> {
  const rows = await db
    .selectFrom("account_deletions")
    .innerJoin("accounts", "accounts.id", "account_deletions.account_id")
    .select("account_id")
    .where("delete_at", "<=", now)
    .where("disabled_at", "is", null)
    .limit(limit)
    .execute();
  return rows.map(({ account_id }) => account_id);
}
