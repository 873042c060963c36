import { AuthError } from "@countersign/shared";
import type { Account, AccountId } from "@countersign/shared/schemas";
import type { Deps } from "../deps.ts";
import { getAccount, getAccountByLogin } from "../flows/accounts/administer.ts";

/** Finds an account by its id, its e-mail address or its username. @throws {AuthError} `NOT_FOUND` */
export async function findAccount(deps: Deps, name: string): Promise<Account> {
  try {
    // An id first: nobody may take another's id for a username, and be disabled or made an administrator in their place.
    return await getAccount(deps, { id: name as AccountId });
  } catch (error) {
    if (!(error instanceof AuthError) || error.reason !== "NOT_FOUND") throw error;
    return getAccountByLogin(deps, name);
  }
}
