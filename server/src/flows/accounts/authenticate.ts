import type { Deps } from "../../deps.ts";
import { findAccountByKey, upgradePasswordHash } from "../../store/accounts.ts";
import type { AccountRow } from "../../store/schema.ts";
import { type Account, fromApplication, fromRow } from "./account.ts";
import { loginKey } from "./normalise.ts";

/** Whom a sign-in is about, before anything is proved. */
export interface Candidate {
  /** What attempts are counted by: the account, however it was named, or else the name. */
  readonly limitKey: string;
  /** The row of our own account; `null` when there is none, or when accounts are the application's. */
  readonly row: AccountRow | null;
}

/** Finds whom a username or an e-mail address names. */
export async function findCandidate(deps: Deps, username: string): Promise<Candidate> {
  const { column, key } = loginKey(username);
  const row = deps.settings.authenticate === undefined ? await findAccountByKey(deps.db, column, key) : null;
  return { limitKey: row?.id ?? key, row };
}

/**
 * The account whose password this is, or `null`: the same answer, after the same time, for an unknown name, a wrong
 * password and an account without one.
 *
 * @throws {AuthError} `BUSY` when too many passwords wait to be hashed.
 */
export async function authenticate(
  deps: Deps,
  { row }: Candidate,
  credentials: { username: string; password: string },
): Promise<Account | null> {
  if (deps.settings.authenticate !== undefined) {
    const found = await deps.settings.authenticate({ username: credentials.username, password: credentials.password });
    return fromApplication(found, "authenticate");
  }
  const stored = row?.password_hash ?? null;
  // Hash even when the account is unknown, so that both answers take the same time (ASVS 5.0 6.3.8).
  const matches = await deps.hasher.verify(credentials.password, stored);
  if (!matches || row === null || stored === null) return null;
  if (deps.hasher.isOutdated(stored)) {
    await upgradePasswordHash(deps.db, row.id, stored, await deps.hasher.hash(credentials.password));
  }
  return fromRow(row);
}
