/** Accounts: what goes in and what comes out. */
import { z } from "zod";
import { AccountId, Email, PageInput, Password, Role, Username } from "./fields.ts";

/** A signed-in person, as they see themselves. */
export const User = z.object({
  id: AccountId,
  username: z.string(),
  email: z.string().nullable(),
  roles: z.array(z.string()),
});
export type User = z.infer<typeof User>;

/** An account as an administrator sees it. */
export const Account = User.extend({
  disabled: z.boolean(),
  createdAt: z.date(),
  /** When it is going to be deleted, as its owner has asked for; `null` where nobody has. While it is disabled it stays. */
  deletedAfter: z.date().nullable(),
});
export type Account = z.infer<typeof Account>;

/** A person's own account, with what only they need to know. */
export const OwnAccount = User.extend({
  /** `null` where the application keeps the accounts. */
  createdAt: z.date().nullable(),
  /** Whether it is kept here, and can be changed here: not where the application keeps the accounts. */
  editable: z.boolean(),
  /** When it is going to be deleted, as its owner has asked for; `null` where nobody has. */
  deletedAfter: z.date().nullable(),
  /** Until when its temporary password is good; `null` for one of its owner's. */
  passwordExpiresAt: z.date().nullable(),
});
export type OwnAccount = z.infer<typeof OwnAccount>;

export const RegisterInput = z.strictObject({
  username: Username,
  password: Password,
  email: Email.optional(),
});
export type RegisterInput = z.infer<typeof RegisterInput>;

/** The first account of a server, and the code that proves who started it. */
export const SetUpInput = RegisterInput.extend({ code: z.string().min(1, '"code" must not be empty').max(64) });
export type SetUpInput = z.infer<typeof SetUpInput>;

export const ChangePasswordInput = z.strictObject({
  currentPassword: Password,
  newPassword: Password,
});
export type ChangePasswordInput = z.infer<typeof ChangePasswordInput>;

/** What is left out stays as it is; an e-mail address is taken away by `null`. */
export const UpdateAccountInput = z.strictObject({
  username: Username.optional(),
  email: Email.nullable().optional(),
});
export type UpdateAccountInput = z.infer<typeof UpdateAccountInput>;

/** Names one account. */
export const AccountRef = z.strictObject({ id: AccountId });
export type AccountRef = z.infer<typeof AccountRef>;

export const CreateAccountInput = RegisterInput.extend({ roles: z.array(Role).default([]) });
export type CreateAccountInput = z.infer<typeof CreateAccountInput>;

export const SetRolesInput = AccountRef.extend({ roles: z.array(Role) });
export type SetRolesInput = z.infer<typeof SetRolesInput>;

export const SetPasswordInput = AccountRef.extend({ password: Password });
export type SetPasswordInput = z.infer<typeof SetPasswordInput>;

/** A password that is shown once, to be handed over, and that its owner is to replace before it ends. */
export const TemporaryPassword = z.object({ password: z.string(), expiresAt: z.date() });
export type TemporaryPassword = z.infer<typeof TemporaryPassword>;

/** Accounts by username; `search` keeps those whose username or e-mail address begins with it. */
export const ListAccountsInput = PageInput.extend({ search: z.string().max(254).optional() }).prefault({});
export type ListAccountsInput = z.infer<typeof ListAccountsInput>;

/** A page of accounts; `nextCursor` is `null` on the last page. */
export const AccountPage = z.object({ accounts: z.array(Account), nextCursor: z.string().nullable() });
export type AccountPage = z.infer<typeof AccountPage>;
