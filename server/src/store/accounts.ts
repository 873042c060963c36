/** The verbs of the `accounts` table. */
import type { AccountId } from "@countersign/shared/schemas";
import type { Insertable } from "kysely";
import type { Db } from "../deps.ts";
import type { AccountRow, AccountsTable } from "./schema.ts";

/** @throws {UniqueViolation} when the username or the e-mail address is taken. */
export async function insertAccount(db: Db, row: Insertable<AccountsTable>): Promise<void> {
  await db.insertInto("accounts").values(row).execute();
}

export async function findAccountById(db: Db, id: AccountId): Promise<AccountRow | null> {
  return (await db.selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirst()) ?? null;
}

/** Finds by one unique key: a normalised username or a normalised e-mail address. */
export async function findAccountByKey(
  db: Db,
  column: "username_key" | "email_key",
  key: string,
): Promise<AccountRow | null> {
  return (await db.selectFrom("accounts").selectAll().where(column, "=", key).executeTakeFirst()) ?? null;
}

/** A page in the order of usernames; `after` is the username key that the page before ended with. */
export async function listAccounts(
  db: Db,
  { after, prefix, limit }: { after: string | null; prefix: string | null; limit: number },
): Promise<AccountRow[]> {
  let query = db.selectFrom("accounts").selectAll().orderBy("username_key").limit(limit);
  if (after !== null) query = query.where("username_key", ">", after);
  if (prefix !== null) {
    // A range and not LIKE: it uses the index on both dialects, and nothing in a prefix needs escaping.
    const end = `${prefix}\u{10FFFF}`;
    query = query.where((where) =>
      where.or([
        where.and([where("username_key", ">=", prefix), where("username_key", "<", end)]),
        where.and([where("email_key", ">=", prefix), where("email_key", "<", end)]),
      ]),
    );
  }
  return query.execute();
}

/**
 * Changes an account and raises its version. Returns the new version, or `null` when there is no such account, or none at
 * the version that is given.
 */
export async function changeAccount(
  db: Db,
  { id, version }: { readonly id: AccountId; readonly version?: number | undefined },
  change: Partial<Pick<AccountRow, "roles" | "password_hash" | "disabled_at">> & { updated_at: number },
): Promise<number | null> {
  let query = db
    .updateTable("accounts")
    .set((update) => ({ ...change, version: update("version", "+", 1) }))
    .where("id", "=", id);
  if (version !== undefined) query = query.where("version", "=", version);
  const changed = await query.returning("version").executeTakeFirst();
  return changed?.version ?? null;
}

/** Stores a hash of the same password at another cost. Tokens stay good, so the version stays. */
export async function upgradePasswordHash(db: Db, id: AccountId, from: string, to: string): Promise<void> {
  await db
    .updateTable("accounts")
    .set({ password_hash: to })
    .where("id", "=", id)
    .where("password_hash", "=", from)
    .execute();
}

/** Returns whether there was such an account. */
export async function deleteAccount(db: Db, id: AccountId): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom("accounts").where("id", "=", id).executeTakeFirst();
  return numDeletedRows > 0n;
}
