import pLimit from "p-limit";
import { comparerOf } from "../../crypto/foreign-hash.ts";
import type { Db } from "../../deps.ts";
import { findAccountByKey } from "../../store/accounts.ts";
import { type KeptAccount, readKeptAccounts } from "../../store/rehearsal/kept.ts";

/** What was found of the accounts that there were before the migrations. */
export interface ComparedAccounts {
  readonly accounts: number;
  /** Those that no password can sign in with, before as after. */
  readonly withoutPassword: number;
  /** A sentence each, of up to ten accounts. Empty when everyone can still sign in by what they have. */
  readonly problems: readonly string[];
}

const atOnce = 8;
const mostProblems = 10;

/**
 * Looks each account up by its username and its address, as a sign-in does, and compares what it signs in with.
 *
 * @param options.onProgress Called with how many were looked at.
 */
export async function compareAccounts(
  copy: Db,
  { onProgress }: { onProgress: (accounts: number) => void },
): Promise<ComparedAccounts> {
  const limit = pLimit(atOnce);
  const problems: string[] = [];
  let [accounts, withoutPassword] = [0, 0];
  for await (const page of readKeptAccounts(copy)) {
    const found = await Promise.all(page.map((account) => limit(() => problemWith(copy, account))));
    problems.push(...found.flatMap((problem) => problem ?? []));
    accounts += page.length;
    withoutPassword += page.filter(({ password_hash }) => password_hash === null).length;
    onProgress(accounts);
  }
  return { accounts, withoutPassword, problems: problems.slice(0, mostProblems) };
}

async function problemWith(copy: Db, { id, username_key, email_key, ...had }: KeptAccount): Promise<string | null> {
  const keys = [["username_key", username_key] as const, ["email_key", email_key] as const];
  for (const [column, key] of keys) {
    if (key === null) continue;
    const found = await findAccountByKey(copy, column, key);
    const by = column === "username_key" ? "username" : "e-mail address";
    if (found?.id !== id) return `Account ${id} is not found by its ${by}.`;
    if (found.password_hash !== had.password_hash) return `Account ${id} has another password.`;
    if ((found.disabled_at !== null) !== Boolean(had.disabled)) return `Account ${id} was disabled, or enabled.`;
  }
  if (had.password_hash !== null && comparerOf(had.password_hash) === null) {
    return `Account ${id} has a password whose hash this version cannot compare.`;
  }
  return null;
}
