import { AccountId, type User } from "@countersign/shared/schemas";
import { z } from "zod";
import type { Deps } from "../../deps.ts";
import { sentencesOf } from "../../input-issues.ts";
import type { ApplicationAccount } from "../../options.ts";
import { findAccountById } from "../../store/accounts.ts";
import type { AccountRow } from "../../store/schema.ts";

/** An account as the flows need it, whether it is ours or the application's. */
export interface Account {
  readonly id: AccountId;
  readonly username: string;
  readonly email: string | null;
  readonly roles: readonly string[];
  readonly version: number;
  readonly disabled: boolean;
}

/** Whoever changes a row by hand, and not its version, sees it after so long. */
const knownForMs = 60_000;

/**
 * The account that a session belongs to, as it is now; `null` when it is gone. One of our own is known from then on; an
 * application's may change without a word.
 */
export async function findAccount(deps: Deps, id: AccountId): Promise<Account | null> {
  if (deps.settings.findAccount !== undefined) {
    const account = fromApplication(await deps.settings.findAccount(id), "findAccount");
    if (account !== null && account.id !== id) throw new TypeError('"findAccount" returned an account with another id');
    return account;
  }
  const row = await findAccountById(deps.db, id);
  if (row === null) return null;
  const account = fromRow(row);
  deps.knownAccounts.set(id, account, deps.now() + knownForMs);
  return account;
}

export function fromRow(row: AccountRow): Account {
  return {
    id: row.id,
    username: row.username,
    email: row.email,
    roles: JSON.parse(row.roles),
    version: row.version,
    disabled: row.disabled_at !== null,
  };
}

const FromApplication = z.object({
  id: AccountId,
  username: z.string().min(1),
  email: z.string().nullish(),
  roles: z.array(z.string()).optional(),
  version: z.int().min(0).optional(),
});

/**
 * An account as the application returned it; `null` for none.
 *
 * @throws {TypeError} naming the fields that no token could carry: better now than a sign-in whose token nobody takes.
 */
export function fromApplication(returned: ApplicationAccount | null | undefined, by: string): Account | null {
  if (returned === null || returned === undefined) return null;
  const { data, error } = FromApplication.safeParse(returned);
  if (error) {
    throw new TypeError(`"${by}" returned an account that cannot be used: ${sentencesOf(error).join("; ")}`);
  }
  const { id, username, email = null, roles = [], version = 0 } = data;
  return { id, username, email, roles, version, disabled: false };
}

/** What an account's owner may see of it. */
export function toUser({ id, username, email, roles }: Account): User {
  return { id, username, email, roles: [...roles] };
}
