import type { AccountId } from "@countersign/shared/schemas";
import type { Deps } from "../../deps.ts";
import { findAccountByKey, upgradePasswordHash } from "../../store/accounts.ts";
import type { AccountRow } from "../../store/schema.ts";
import { type Account, fromApplication, fromRow } from "./account.ts";
import type { LoginKey } from "./normalise.ts";
import { usableHash } from "./temporary-password.ts";

/** The row that a username or an e-mail address names; `null` when there is none, or when accounts are the application's. */
export async function findCandidate(deps: Deps, { column, key }: LoginKey): Promise<AccountRow | null> {
  return deps.settings.authenticate === undefined ? await findAccountByKey(deps.db, column, key) : null;
}

/**
 * The account whose password this is, or `null`: the same answer, after the same time, for an unknown name, a wrong
 * password and an account without one.
 *
 * @throws {AuthError} `BUSY` when too many passwords wait to be hashed.
 */
export async function authenticate(
  deps: Deps,
  row: AccountRow | null,
  credentials: { username: string; password: string },
): Promise<Account | null> {
  if (deps.settings.authenticate !== undefined) {
    const found = await deps.settings.authenticate({ username: credentials.username, password: credentials.password });
    return fromApplication(found, "authenticate");
  }
  const stored = row === null ? null : usableHash(row, deps.now());
  // Hash even when the account is unknown, so that both answers take the same time (ASVS 5.0 6.3.8).
  const matches = await deps.hasher.verify(credentials.password, stored);
  if (!matches || row === null || stored === null) return null;
  if (deps.hasher.isOutdated(stored)) await upgradeHash(deps, { id: row.id, stored }, credentials.password);
  return fromRow(row);
}

/** The next sign-in tries again, so a failure is no reason to refuse the right password. */
async function upgradeHash(deps: Deps, { id, stored }: { id: AccountId; stored: string }, password: string) {
  try {
    await upgradePasswordHash(deps.db, id, stored, await deps.hasher.hash(password));
  } catch (error) {
    deps.log.warn({ err: error, accountId: id }, "a password's hash could not be brought to the current cost");
  }
}
