import {
  Account,
  AccountPage,
  AccountRef,
  CreateAccountInput,
  ListAccountsInput,
  RevokedCount,
  Session,
  SessionRef,
  SetPasswordInput,
  SetRolesInput,
  TemporaryPassword,
} from "@countersign/shared/schemas";
import { z } from "zod";
import type { Administrator } from "../../flows/accounts/administer.ts";
import * as accounts from "../../flows/accounts/administer.ts";
import { setTemporaryPassword } from "../../flows/accounts/temporary-password.ts";
import { listSessions } from "../../flows/sessions/list-sessions.ts";
import { revoke } from "../../flows/sessions/revoke.ts";
import type { RequestAuth } from "../context.ts";
import { t } from "../init.ts";
import { adminProcedure, freshAdminProcedure } from "../procedures.ts";
import { raises } from "../raises.ts";

/** For what is done to one account, which may not be there. */
const accountProcedure = adminProcedure.concat(raises("NOT_FOUND"));
const freshAccountProcedure = freshAdminProcedure.concat(raises("NOT_FOUND"));

type AdminContext = { auth: RequestAuth; principal: { accountId: Administrator["actorId"] } };
const by = ({ auth, principal }: AdminContext): Administrator => ({
  actorId: principal.accountId,
  caller: auth.caller,
});

const sessionsRouter = t.router({
  list: adminProcedure
    .input(AccountRef)
    .output(z.array(Session))
    .query(({ ctx, input }) => listSessions(ctx.auth.deps, { accountId: input.id, current: ctx.principal.sessionId })),

  revoke: adminProcedure
    .input(SessionRef)
    .output(RevokedCount)
    .mutation(async ({ ctx, input }) => ({
      revoked: await revoke(ctx.auth.deps, { id: input.id }, { ...by(ctx), reason: "revoked_by_administrator" }),
    })),

  /** Signs an account out everywhere. */
  revokeAll: adminProcedure
    .input(AccountRef)
    .output(RevokedCount)
    .mutation(async ({ ctx, input }) => ({
      revoked: await revoke(ctx.auth.deps, { accountId: input.id }, { ...by(ctx), reason: "revoked_by_administrator" }),
    })),
});

/** Accounts, for role `admin`. Mounted as `users`. */
export const usersRouter = t.router({
  list: adminProcedure
    .input(ListAccountsInput)
    .output(AccountPage)
    .query(({ ctx, input }) => accounts.listAccounts(ctx.auth.deps, input)),

  get: accountProcedure
    .input(AccountRef)
    .output(Account)
    .query(({ ctx, input }) => accounts.getAccount(ctx.auth.deps, input)),

  create: freshAdminProcedure
    .concat(raises("REGISTRATION_CLOSED", "WEAK_PASSWORD", "USERNAME_TAKEN", "EMAIL_TAKEN", "BUSY"))
    .input(CreateAccountInput)
    .output(Account)
    .mutation(({ ctx, input }) => accounts.addAccount(ctx.auth.deps, input, by(ctx))),

  setRoles: freshAccountProcedure
    .concat(raises("LAST_ADMIN"))
    .input(SetRolesInput)
    .output(Account)
    .mutation(({ ctx, input }) => accounts.setRoles(ctx.auth.deps, input, by(ctx))),

  setPassword: freshAccountProcedure
    .concat(raises("WEAK_PASSWORD", "BUSY"))
    .input(SetPasswordInput)
    .output(Account)
    .mutation(({ ctx, input }) => accounts.setPassword(ctx.auth.deps, input, by(ctx))),

  /** A password that ends in three days, for the owner to be told: it is shown once. */
  setTemporaryPassword: freshAccountProcedure
    .concat(raises("BUSY"))
    .input(AccountRef)
    .output(TemporaryPassword)
    .mutation(({ ctx, input }) => setTemporaryPassword(ctx.auth.deps, input, by(ctx))),

  disable: accountProcedure
    .concat(raises("LAST_ADMIN"))
    .input(AccountRef)
    .output(Account)
    .mutation(({ ctx, input }) => accounts.disableAccount(ctx.auth.deps, input, by(ctx))),

  enable: accountProcedure
    .input(AccountRef)
    .output(Account)
    .mutation(({ ctx, input }) => accounts.enableAccount(ctx.auth.deps, input, by(ctx))),

  remove: freshAccountProcedure
    .concat(raises("LAST_ADMIN"))
    .input(AccountRef)
    .output(Account)
    .mutation(({ ctx, input }) => accounts.removeAccount(ctx.auth.deps, input, by(ctx))),

  sessions: sessionsRouter,
});

type Built = typeof usersRouter;
/** The type of `auth.usersRouter`. An interface, so that editors show its name and not all of its procedures. */
export interface UsersRouter extends Built {}
