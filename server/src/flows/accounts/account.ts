import { AccountId, type User } from "@countersign/shared/schemas";
import type { Deps } from "../../deps.ts";
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

/** The account that a session belongs to, as it is now; `null` when it is gone. */
export async function findAccount(deps: Deps, id: AccountId): Promise<Account | null> {
  if (deps.settings.findAccount !== undefined) {
    const found = await deps.settings.findAccount(id);
    return found && fromApplication(found);
  }
  const row = await findAccountById(deps.db, id);
  return row && fromRow(row);
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

/** @throws {ZodError} for an id that is empty or longer than 128 characters: no token could carry it. */
export function fromApplication(account: ApplicationAccount): Account {
  return {
    id: AccountId.parse(account.id),
    username: account.username,
    email: account.email ?? null,
    roles: account.roles ?? [],
    version: account.version ?? 0,
    disabled: false,
  };
}

/** What an account's owner may see of it. */
export function toUser({ id, username, email, roles }: Account): User {
  return { id, username, email, roles: [...roles] };
}
