import { AuthError } from "@countersign/shared";
import type { AccountId } from "@countersign/shared/schemas";
import type { Db } from "../../deps.ts";
import { adminRole } from "../../options.ts";
import { findAccountById, hasOtherWithRole } from "../../store/accounts.ts";

/**
 * Refuses what would leave a server that nobody can administer but by its command line. Belongs in the transaction of that.
 *
 * @throws {AuthError} `LAST_ADMIN`
 */
export async function requireOtherAdministrator(trx: Db, id: AccountId): Promise<void> {
  const account = await findAccountById(trx, id);
  const roles: readonly string[] = account === null ? [] : JSON.parse(account.roles);
  if (account?.disabled_at !== null || !roles.includes(adminRole)) return;
  if (!(await hasOtherWithRole(trx, id, adminRole))) throw new AuthError("LAST_ADMIN");
}
