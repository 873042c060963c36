/** What a person may see of, and do to, their own account. */
import { AuthError, type Principal } from "@countersign/shared";
import type { AccountId, OwnAccount, UpdateAccountInput } from "@countersign/shared/schemas";
import type { Caller, Deps } from "../../deps.ts";
import { findAccountById } from "../../store/accounts.ts";
import type { AccountRow } from "../../store/schema.ts";
import { currentUser } from "../sessions/current-session.ts";
import { fromRow, toUser } from "./account.ts";
import { applyAccountChange } from "./change-account.ts";
import { requireOtherAdministrator } from "./last-administrator.ts";
import { namesOf, refusalOfTaken } from "./names.ts";
import { refuseIfApplicationOwnsAccounts } from "./own-accounts.ts";

/** Who asks, and from where. */
interface Owner {
  readonly principal: Principal;
  readonly caller: Caller;
}

/** The account of whoever asks. @throws {AuthError} `SESSION_REVOKED` when it is gone. */
export async function ownAccount(deps: Deps, principal: Principal): Promise<OwnAccount> {
  if (deps.settings.authenticate === undefined) return toOwn(await requireOwn(deps, principal.accountId));
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
  const after = { username: input.username ?? before.username, email: input.email ?? null };
  if (input.email === undefined) after.email = before.email;
  const fields = (["username", "email"] as const).filter((field) => after[field] !== before[field]);
  if (fields.length === 0) return toOwn(before);
  await deps.limiter.takeRegistration(caller.address);
  try {
    await applyAccountChange(deps, accountId, {
      set: namesOf(after),
      audit: { kind: "profile_changed", sessionId: principal.sessionId, details: { fields } },
      caller,
    });
  } catch (error) {
    throw refusalOfTaken(error);
  }
  return toOwn(await requireOwn(deps, accountId));
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
    set: { delete_at: deleteAt },
    check: (trx) => requireOtherAdministrator(trx, id),
    revoke: { selection: { accountId: id }, reason: "deletion_requested" },
    audit: { kind: "deletion_requested", sessionId },
    caller,
  });
  return new Date(deleteAt);
}

/** Keeps an account that was going to be deleted. Twice is once. @throws {AuthError} `REGISTRATION_CLOSED` */
export async function cancelDeletion(deps: Deps, { principal, caller }: Owner): Promise<OwnAccount> {
  refuseIfApplicationOwnsAccounts(deps.settings);
  const { accountId: id, sessionId } = principal;
  const before = await requireOwn(deps, id);
  if (before.delete_at === null) return toOwn(before);
  await applyAccountChange(deps, id, {
    set: { delete_at: null },
    audit: { kind: "deletion_cancelled", sessionId },
    caller,
  });
  return toOwn(await requireOwn(deps, id));
}

async function requireOwn(deps: Deps, id: AccountId): Promise<AccountRow> {
  const row = await findAccountById(deps.db, id);
  if (row === null) throw new AuthError("SESSION_REVOKED");
  return row;
}

function toOwn(row: AccountRow): OwnAccount {
  const dateOf = (time: number | null) => (time === null ? null : new Date(time));
  return {
    ...toUser(fromRow(row)),
    createdAt: new Date(row.created_at),
    editable: true,
    deletedAfter: dateOf(row.delete_at),
    passwordExpiresAt: dateOf(row.password_expires_at),
  };
}
