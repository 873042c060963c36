import type { Deps } from "../../deps.ts";
import { findAccountByKey, upgradePasswordHash } from "../../store/accounts.ts";
import { type Account, fromApplication, fromRow } from "./account.ts";
import { loginKey } from "./normalise.ts";

/**
 * The account whose password this is, or `null`: the same answer, after the same time, for an unknown name, a wrong
 * password and an account without one.
 *
 * @throws {AuthError} `BUSY` when too many passwords wait to be hashed.
 */
export async function authenticate(
  deps: Deps,
  credentials: { username: string; password: string },
): Promise<Account | null> {
  if (deps.settings.authenticate !== undefined) {
    const found = await deps.settings.authenticate({ username: credentials.username, password: credentials.password });
    return found && fromApplication(found);
  }
  const { column, key } = loginKey(credentials.username);
  const row = await findAccountByKey(deps.db, column, key);
  const stored = row?.password_hash ?? null;
  // Hash even when the account is unknown, so that both answers take the same time (ASVS 5.0 6.3.8).
  const matches = await deps.hasher.verify(credentials.password, stored);
  if (!matches || row === null || stored === null) return null;
  if (deps.hasher.isOutdated(stored)) {
    await upgradePasswordHash(deps.db, row.id, stored, await deps.hasher.hash(credentials.password));
  }
  return fromRow(row);
}
