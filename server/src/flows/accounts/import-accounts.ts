import { createHash } from "node:crypto";
import { type AccountId, Email, Role, Username } from "@countersign/shared/schemas";
import { z } from "zod";
import { comparerOf } from "../../crypto/foreign-hash.ts";
import { newId } from "../../crypto/id.ts";
import type { Caller, Deps } from "../../deps.ts";
import { insertMissingAccounts } from "../../store/accounts.ts";
import type { NewAccountRow } from "../../store/schema.ts";
import { transact } from "../../store/transact.ts";
import { recordAudit } from "../audit.ts";
import { refuseIfApplicationOwnsAccounts } from "./application-owns-accounts.ts";
import { emailKey, usernameKey } from "./normalise.ts";

/** An account that another system had. Without a username, one is made from the e-mail address. */
export const ImportedAccount = z
  .object({
    username: Username.nullish(),
    email: Email.nullish(),
    passwordHash: z
      .string()
      .refine((hash) => comparerOf(hash) !== null, '"passwordHash" is of no form that is known')
      .nullish(),
    roles: z.array(Role).default([]),
    disabled: z.boolean().default(false),
    // Years of four digits: what is later was given in another unit than it is read in.
    createdAt: z.coerce
      .date()
      .min(0)
      .max(Date.UTC(9999, 11, 31))
      .nullish(),
  })
  .refine(({ username, email }) => username || email, 'there is neither a "username" nor an "email"');
export type ImportedAccount = z.infer<typeof ImportedAccount>;

/**
 * Adds those accounts that are not there yet, in one transaction: a run that was broken off can be done again. Passwords
 * stay as they are, and are hashed anew at the next sign-in.
 *
 * @returns How many were added; the others' username or e-mail address is taken.
 * @throws {AuthError} `BAD_REQUEST` where accounts are the application's own.
 */
export async function importAccounts(
  deps: Deps,
  accounts: readonly ImportedAccount[],
  caller: Caller,
): Promise<number> {
  refuseIfApplicationOwnsAccounts(deps.settings);
  const rows = accounts.map((account) => rowOf(deps, account));
  return transact(deps.db, async (trx) => {
    const added = await insertMissingAccounts(trx, rows);
    if (added > 0) await recordAudit(deps, trx, { kind: "accounts_imported", details: { added } }, caller);
    return added;
  });
}

function rowOf({ now, randomBytes }: Deps, account: ImportedAccount): NewAccountRow {
  const email = account.email ?? null;
  const username = account.username ?? usernameFrom(email ?? "");
  const at = now();
  return {
    id: newId(at, randomBytes(16)) as AccountId,
    username,
    username_key: usernameKey(username),
    email,
    email_key: email === null ? null : emailKey(email),
    password_hash: account.passwordHash ?? null,
    roles: JSON.stringify([...new Set(account.roles)]),
    version: 1,
    disabled_at: account.disabled ? at : null,
    created_at: account.createdAt?.getTime() ?? at,
    updated_at: at,
  };
}

/** The same for the same address, at every run, and another for another: `ada-3f2a1b`. */
function usernameFrom(email: string): string {
  const local = (email.split("@")[0] ?? "").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "");
  const suffix = createHash("sha256").update(emailKey(email)).digest("hex").slice(0, 6);
  return `${local.slice(0, 50) || "user"}-${suffix}`;
}
