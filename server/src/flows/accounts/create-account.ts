import type { AccountId, CreateAccountInput } from "@countersign/shared/schemas";
import { newId } from "../../crypto/id.ts";
import type { Caller, Db, Deps } from "../../deps.ts";
import { insertAccount } from "../../store/accounts.ts";
import { transact } from "../../store/transact.ts";
import { type AuditEvent, recordAudit } from "../audit.ts";
import type { Account } from "./account.ts";
import { checkPassword } from "./check-password.ts";
import { checkRoles } from "./check-roles.ts";
import { emailColumns, refusalOfTaken, usernameColumns } from "./names.ts";

interface CreateAccountOptions {
  readonly caller: Caller;
  readonly audit: Pick<AuditEvent, "kind" | "actorId">;
  /** Called in the transaction that makes the account: there is none where this throws. */
  readonly check?: (trx: Db) => Promise<void>;
}

/**
 * Makes an account with a password.
 *
 * @throws {AuthError} `WEAK_PASSWORD`, `USERNAME_TAKEN`, `EMAIL_TAKEN`, `BUSY`, or `BAD_REQUEST` for an undeclared role.
 */
export async function createAccount(
  deps: Deps,
  input: CreateAccountInput,
  { caller, audit, check = async () => {} }: CreateAccountOptions,
): Promise<Account> {
  checkRoles(deps.settings, input.roles);
  await checkPassword(deps.settings, input.password, { username: input.username, field: "password" });
  const now = deps.now();
  const account: Account = {
    id: newId(now, deps.randomBytes(16)) as AccountId,
    username: input.username,
    email: input.email ?? null,
    roles: [...new Set(input.roles)],
    version: 1,
    disabled: false,
  };
  const passwordHash = await deps.hasher.hash(input.password);
  try {
    await transact(deps.db, async (trx) => {
      await check(trx);
      await insertAccount(trx, {
        id: account.id,
        ...usernameColumns(account.username),
        ...emailColumns(account.email),
        password_hash: passwordHash,
        roles: JSON.stringify(account.roles),
        version: account.version,
        disabled_at: null,
        password_expires_at: null,
        temporary_hash: null,
        created_at: now,
        updated_at: now,
      });
      await recordAudit(deps, trx, { ...audit, accountId: account.id }, caller);
    });
  } catch (error) {
    throw refusalOfTaken(error);
  }
  return account;
}
