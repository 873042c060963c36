/** The verbs of the `accounts` table. */
import type { AccountId } from "@countersign/shared/schemas";
import type { Insertable } from "kysely";
import { z } from "zod";
import type { Db } from "../deps.ts";
import type { AccountRow, AccountsTable, NewAccountRow } from "./schema.ts";

/** @throws {UniqueViolation} when the username or the e-mail address is taken. */
export async function insertAccount(db: Db, row: Insertable<AccountsTable>): Promise<void> {
  await db.insertInto("accounts").values(row).execute();
}

/** Inserts those whose username and e-mail address are free. Returns how many. */
export async function insertMissingAccounts(db: Db, rows: readonly NewAccountRow[]): Promise<number> {
  const inserted = await db
    .insertInto("accounts")
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .execute();
  return inserted.length;
}

/** The usernames of accounts, by id; of those that there are. */
export async function listUsernames(db: Db, ids: readonly AccountId[]): Promise<ReadonlyMap<AccountId, string>> {
  const ours = ids.filter(isOurs);
  if (ours.length === 0) return new Map();
  const rows = await db.selectFrom("accounts").select(["id", "username"]).where("id", "in", ours).execute();
  return new Map(rows.map(({ id, username }) => [id, username]));
}

/**
 * Whether another account has a role, and can sign in for good. It reads them in the order in which they were made until it finds
 * one: the first accounts of a server are its administrators'.
 */
export async function hasOtherWithRole(db: Db, id: AccountId, role: string): Promise<boolean> {
  const other = await db
    .selectFrom("accounts")
    .select("id")
    .where("id", "!=", id)
    .where("disabled_at", "is", null)
    .where("password_expires_at", "is", null)
    // Not LIKE, which takes an "Admin" for it on SQLite.
    .where(({ cast, eb, fn, ref, val }) => {
      const roles = cast<string>(ref("roles"), "text");
      return eb(fn<string>("replace", [roles, val(JSON.stringify(role)), val("")]), "!=", roles);
    })
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom("account_deletions").select("account_id").whereRef("account_id", "=", "accounts.id"))),
    )
    .orderBy("id")
    .limit(1)
    .executeTakeFirst();
  return other !== undefined;
}

export async function findAccountById(db: Db, id: AccountId): Promise<AccountRow | null> {
  if (!isOurs(id)) return null;
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

export async function hasAccounts(db: Db): Promise<boolean> {
  return (await db.selectFrom("accounts").select("id").limit(1).executeTakeFirst()) !== undefined;
}

/** A page in the order of usernames; `after` is the username key that the page before ended with. */
export async function listAccounts(
  db: Db,
  { after, prefix, limit }: { after: string | null; prefix: string | null; limit: number },
): Promise<AccountRow[]> {
  let page = db.selectFrom("accounts").selectAll().orderBy("username_key").limit(limit);
  if (after !== null) page = page.where("username_key", ">", after);
  if (prefix === null) return page.execute();
  // A range and not LIKE: it uses the index on both dialects, and nothing in a prefix needs escaping. One index after the
  // other, and not either at once: each gives its first rows without reading the rest.
  const end = `${prefix}\u{10FFFF}`;
  const byName = page.where("username_key", ">=", prefix).where("username_key", "<", end);
  const byEmail = page.where("email_key", ">=", prefix).where("email_key", "<", end);
  const [named, addressed] = [await byName.execute(), await byEmail.execute()];
  const rows = new Map([...named, ...addressed].map((row) => [row.username_key, row]));
  return [...rows.values()].sort(byUsernameKey).slice(0, limit);
}

/** As the databases order: by code points, which UTF-8's bytes are in the order of, and JavaScript's strings are not. */
function byUsernameKey(one: AccountRow, other: AccountRow): number {
  return Buffer.compare(Buffer.from(one.username_key), Buffer.from(other.username_key));
}

/** What of an account can change. */
export type AccountChange = Partial<
  Pick<
    AccountRow,
    | "username"
    | "username_key"
    | "email"
    | "email_key"
    | "roles"
    | "password_hash"
    | "password_expires_at"
    | "disabled_at"
    | "temporary_hash"
  >
>;

/**
 * Changes an account and raises its version. Returns the new version, or `null` when there is no such account, or none at
 * the version that is given.
 */
export async function changeAccount(
  db: Db,
  { id, version }: { readonly id: AccountId; readonly version?: number | undefined },
  change: AccountChange & { updated_at: number },
): Promise<number | null> {
  if (!isOurs(id)) return null;
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
    .set((update) => ({
      password_hash: to,
      // A temporary password stays one.
      temporary_hash: update.case().when("temporary_hash", "is not", null).then(to).end(),
    }))
    .where("id", "=", id)
    .where("password_hash", "=", from)
    .execute();
}

/** Returns whether there was such an account. */
export async function deleteAccount(db: Db, id: AccountId): Promise<boolean> {
  if (!isOurs(id)) return false;
  const { numDeletedRows } = await db.deleteFrom("accounts").where("id", "=", id).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** An application's own users have ids of any form. Our column takes UUIDs, and PostgreSQL refuses to be asked for others. */
function isOurs(id: AccountId): boolean {
  return Uuid.safeParse(id).success;
}

const Uuid = z.uuid();
