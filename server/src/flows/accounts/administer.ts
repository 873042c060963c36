/** What an administrator may do to an account. `actorId` is `null` for the command line. */
import { AuthError } from "@countersign/shared";
import type {
  AccountId,
  AccountPage,
  AccountRef,
  Account as AccountView,
  CreateAccountInput,
  ListAccountsInput,
  SetPasswordInput,
  SetRolesInput,
} from "@countersign/shared/schemas";
import type { Caller, Db, Deps } from "../../deps.ts";
import { adminRole } from "../../options.ts";
import { findDeletions } from "../../store/account-deletions.ts";
import { findAccountById, findAccountByKey, listAccounts as listRows } from "../../store/accounts.ts";
import type { AccountRow } from "../../store/schema.ts";
import { transact } from "../../store/transact.ts";
import { seeOwnWrite } from "../see-own-write.ts";
import { refuseIfApplicationOwnsAccounts } from "./application-owns-accounts.ts";
import { applyAccountChange } from "./change-account.ts";
import { checkPassword } from "./check-password.ts";
import { checkRoles } from "./check-roles.ts";
import { createAccount } from "./create-account.ts";
import { requireOtherAdministrator } from "./last-administrator.ts";
import { loginKey, usernameKey } from "./normalise.ts";
import { removeInTransaction } from "./remove-account.ts";

/** Who acts, and from where. */
export interface Administrator {
  readonly actorId: AccountId | null;
  readonly caller: Caller;
}

/** @throws {AuthError} `NOT_FOUND` */
export async function getAccount(deps: Deps, { id }: AccountRef): Promise<AccountView> {
  return viewOf(deps, await requireAccount(deps, id));
}

/** Finds by username or e-mail address. @throws {AuthError} `NOT_FOUND` */
export async function getAccountByLogin(deps: Deps, login: string): Promise<AccountView> {
  const { column, key } = loginKey(login);
  const row = await findAccountByKey(deps.db, column, key);
  if (row === null) throw new AuthError("NOT_FOUND", undefined, "There is no account of this name.");
  return viewOf(deps, row);
}

/** A page of accounts in the order of usernames. */
export async function listAccounts(deps: Deps, { cursor, limit, search }: ListAccountsInput): Promise<AccountPage> {
  const rows = await listRows(deps.db, {
    after: cursor ?? null,
    prefix: search ? usernameKey(search) : null,
    limit: limit + 1,
  });
  const page = rows.slice(0, limit);
  const deletions = await findDeletions(
    deps.db,
    page.map(({ id }) => id),
  );
  const accounts = page.map((row) => toView(row, deletions.get(row.id)));
  return { accounts, nextCursor: rows.length > limit ? (page.at(-1)?.username_key ?? null) : null };
}

/** @throws {AuthError} `WEAK_PASSWORD`, `USERNAME_TAKEN`, `EMAIL_TAKEN`, `BUSY`, or `BAD_REQUEST` for an undeclared role */
export async function addAccount(deps: Deps, input: CreateAccountInput, by: Administrator): Promise<AccountView> {
  refuseIfApplicationOwnsAccounts(deps.settings);
  const { id } = await createAccount(deps, input, {
    caller: by.caller,
    audit: { kind: "account_created", actorId: by.actorId },
  });
  return getAccount(deps, { id });
}

/** Sets an account's roles. @throws {AuthError} `NOT_FOUND`, `LAST_ADMIN`, or `BAD_REQUEST` for an undeclared role */
export async function setRoles(deps: Deps, { id, roles }: SetRolesInput, by: Administrator): Promise<AccountView> {
  checkRoles(deps.settings, roles);
  const unique = [...new Set(roles)];
  await applyAccountChange(deps, id, {
    set: { roles: JSON.stringify(unique) },
    check: (trx) => (unique.includes(adminRole) ? Promise.resolve() : keepOneAdministrator(by)(trx, id)),
    audit: { kind: "roles_changed", actorId: by.actorId, details: { roles: unique } },
    caller: by.caller,
  });
  return getAccount(deps, { id });
}

/** Sets an account's password and ends all its sessions. @throws {AuthError} `NOT_FOUND`, `WEAK_PASSWORD`, `BUSY` */
export async function setPassword(
  deps: Deps,
  { id, password }: SetPasswordInput,
  by: Administrator,
): Promise<AccountView> {
  const account = await requireAccount(deps, id);
  await checkPassword(deps.settings, password, { username: account.username, field: "password" });
  await applyAccountChange(deps, id, {
    set: { password_hash: await deps.hasher.hash(password), password_expires_at: null, temporary_hash: null },
    revoke: { selection: { accountId: id }, reason: "password_changed" },
    audit: { kind: "password_changed", actorId: by.actorId },
    caller: by.caller,
  });
  return getAccount(deps, { id });
}

/** Ends an account's sessions and refuses new ones. Twice is once. @throws {AuthError} `NOT_FOUND`, `LAST_ADMIN` */
export async function disableAccount(deps: Deps, { id }: AccountRef, by: Administrator): Promise<AccountView> {
  await applyAccountChange(deps, id, {
    set: { disabled_at: deps.now() },
    check: (trx) => keepOneAdministrator(by)(trx, id),
    revoke: { selection: { accountId: id }, reason: "account_disabled" },
    audit: { kind: "account_disabled", actorId: by.actorId },
    caller: by.caller,
  });
  return getAccount(deps, { id });
}

/** Lets a disabled account sign in again. @throws {AuthError} `NOT_FOUND` */
export async function enableAccount(deps: Deps, { id }: AccountRef, by: Administrator): Promise<AccountView> {
  await applyAccountChange(deps, id, {
    set: { disabled_at: null },
    audit: { kind: "account_enabled", actorId: by.actorId },
    caller: by.caller,
  });
  return getAccount(deps, { id });
}

/** Removes an account for good, and ends its sessions. @throws {AuthError} `NOT_FOUND`, `LAST_ADMIN` */
export async function removeAccount(deps: Deps, { id }: AccountRef, by: Administrator): Promise<AccountView> {
  const account = await getAccount(deps, { id });
  await transact(deps.db, async (trx) => {
    await keepOneAdministrator(by)(trx, id);
    if (!(await removeInTransaction(deps, trx, id, by))) throw new AuthError("NOT_FOUND");
  });
  await seeOwnWrite(deps);
  return account;
}

/** Of the command line nobody takes the last administrator away by mistake, and it can make another. */
function keepOneAdministrator({ actorId }: Administrator): (trx: Db, id: AccountId) => Promise<void> {
  return actorId === null ? async () => {} : requireOtherAdministrator;
}

async function requireAccount(deps: Deps, id: AccountId): Promise<AccountRow> {
  const row = await findAccountById(deps.db, id);
  if (row === null) throw new AuthError("NOT_FOUND", undefined, "There is no account with this id.");
  return row;
}

async function viewOf(deps: Deps, row: AccountRow): Promise<AccountView> {
  return toView(row, (await findDeletions(deps.db, [row.id])).get(row.id));
}

function toView(row: AccountRow, deleteAt: number | undefined): AccountView {
  return {
    id: row.id,
    username: row.username,
    email: row.email,
    roles: JSON.parse(row.roles),
    disabled: row.disabled_at !== null,
    createdAt: new Date(row.created_at),
    deletedAfter: deleteAt === undefined ? null : new Date(deleteAt),
  };
}
