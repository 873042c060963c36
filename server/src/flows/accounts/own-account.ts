/** What a person may see of, and do to, their own account. */
import { AuthError, type Principal } from "@countersign/shared";
import type { AccountId, OwnAccount, UpdateAccountInput } from "@countersign/shared/schemas";
import type { Caller, Deps } from "../../deps.ts";
import { findDeletions, forgetDeletion, scheduleDeletion } from "../../store/account-deletions.ts";
import { type AccountChange, findAccountById } from "../../store/accounts.ts";
import type { AccountRow } from "../../store/schema.ts";
import { transact } from "../../store/transact.ts";
import { recordAudit } from "../audit.ts";
import { currentUser } from "../sessions/current-session.ts";
import { fromRow, toUser } from "./account.ts";
import { refuseIfApplicationOwnsAccounts } from "./application-owns-accounts.ts";
import { applyAccountChange } from "./change-account.ts";
import { requireOtherAdministrator } from "./last-administrator.ts";
import { emailColumns, refusalOfTaken, usernameColumns } from "./names.ts";
import { temporaryUntil } from "./temporary-password.ts";

/** Who asks, and from where. */
interface Owner {
  readonly principal: Principal;
  readonly caller: Caller;
}

/** The account of whoever asks. @throws {AuthError} `SESSION_REVOKED` when it is gone. */
export async function ownAccount(deps: Deps, principal: Principal): Promise<OwnAccount> {
  if (deps.settings.authenticate === undefined) return readOwn(deps, principal.accountId);
  const user = await currentUser(deps, principal);
  return { ...user, createdAt: null, editable: false, deletedAfter: null, passwordExpiresAt: null };
}

/**
 * Gives an account another username, another e-mail address, or none. It may tell whose names those are, so it counts as a
 * registration does.
 *
 * @throws {AuthError} `USERNAME_TAKEN`, `EMAIL_TAKEN`, `RATE_LIMITED`, `REGISTRATION_CLOSED`
 */
export async function updateAccount(
  deps: Deps,
  input: UpdateAccountInput,
  { principal, caller }: Owner,
): Promise<OwnAccount> {
  refuseIfApplicationOwnsAccounts(deps.settings);
  const { accountId } = principal;
  const before = await requireOwn(deps, accountId);
  const set = changesOf(before, input);
  const fields = Object.keys(set).filter((field) => field === "username" || field === "email");
  if (fields.length === 0) return readOwn(deps, accountId);
  await deps.limiter.takeRegistration(caller.address);
  try {
    await applyAccountChange(deps, accountId, {
      set,
      audit: { kind: "profile_changed", sessionId: principal.sessionId, details: { fields } },
      caller,
    });
  } catch (error) {
    throw refusalOfTaken(error);
  }
  return readOwn(deps, accountId);
}

/** The columns that change: of what stays, another tab may have written something newer. */
function changesOf(before: AccountRow, { username, email }: UpdateAccountInput): AccountChange {
  return {
    ...(username !== undefined && username !== before.username && usernameColumns(username)),
    ...(email !== undefined && email !== before.email && emailColumns(email)),
  };
}

/**
 * Has an account deleted when the grace is over, and ends all its sessions. Until then its owner can sign in, and keep it.
 *
 * @returns When it is going to be deleted.
 * @throws {AuthError} `LAST_ADMIN` when nobody else could administer the server, `REGISTRATION_CLOSED`
 */
export async function requestDeletion(deps: Deps, { principal, caller }: Owner): Promise<Date> {
  refuseIfApplicationOwnsAccounts(deps.settings);
  const { accountId: id, sessionId } = principal;
  const deleteAt = deps.now() + deps.settings.deletionGraceSeconds * 1_000;
  await applyAccountChange(deps, id, {
    set: {},
    check: async (trx) => {
      await requireOtherAdministrator(trx, id);
      await scheduleDeletion(trx, id, deleteAt);
    },
    revoke: { selection: { accountId: id }, reason: "deletion_requested" },
    audit: { kind: "deletion_requested", sessionId },
    caller,
  });
  return new Date(deleteAt);
}

/** Keeps an account that was going to be deleted. Twice is once. @throws {AuthError} `REGISTRATION_CLOSED` */
export async function cancelDeletion(deps: Deps, { principal, caller }: Owner): Promise<OwnAccount> {
  refuseIfApplicationOwnsAccounts(deps.settings);
  const { accountId, sessionId } = principal;
  await transact(deps.db, async (trx) => {
    if (await forgetDeletion(trx, accountId))
      await recordAudit(deps, trx, { kind: "deletion_cancelled", accountId, sessionId }, caller);
  });
  return readOwn(deps, accountId);
}

async function readOwn(deps: Deps, id: AccountId): Promise<OwnAccount> {
  const row = await requireOwn(deps, id);
  const dateOf = (time: number | null | undefined) => (typeof time === "number" ? new Date(time) : null);
  return {
    ...toUser(fromRow(row)),
    createdAt: new Date(row.created_at),
    editable: true,
    deletedAfter: dateOf((await findDeletions(deps.db, [id])).get(id)),
    passwordExpiresAt: dateOf(temporaryUntil(row)),
  };
}

async function requireOwn(deps: Deps, id: AccountId): Promise<AccountRow> {
  const row = await findAccountById(deps.db, id);
  if (row === null) throw new AuthError("SESSION_REVOKED");
  return row;
}
