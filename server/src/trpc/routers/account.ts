import { ListOwnEventsInput, OwnAccount, SecurityEventPage, UpdateAccountInput } from "@countersign/shared/schemas";
import { z } from "zod";
import * as own from "../../flows/accounts/own-account.ts";
import { listOwnEvents } from "../../flows/list-events.ts";
import { t } from "../init.ts";
import { freshProcedure, protectedProcedure } from "../procedures.ts";
import { raises } from "../raises.ts";

/** A person's own account. Mounted as `account`. */
export const accountRouter = t.router({
  get: protectedProcedure
    .output(OwnAccount)
    .query(({ ctx: { auth, principal } }) => own.ownAccount(auth.deps, principal)),

  update: freshProcedure
    .concat(raises("USERNAME_TAKEN", "EMAIL_TAKEN", "RATE_LIMITED", "REGISTRATION_CLOSED"))
    .input(UpdateAccountInput)
    .output(OwnAccount)
    .mutation(({ ctx: { auth, principal }, input }) =>
      own.updateAccount(auth.deps, input, { principal, caller: auth.caller }),
    ),

  /** Has it deleted when the grace is over, and signs out everywhere. */
  remove: freshProcedure
    .concat(raises("LAST_ADMIN", "REGISTRATION_CLOSED"))
    .output(z.object({ deletedAfter: z.date() }))
    .mutation(async ({ ctx: { auth, principal } }) => ({
      deletedAfter: await own.requestDeletion(auth.deps, { principal, caller: auth.caller }),
    })),

  /** Keeps an account that was going to be deleted. */
  keep: protectedProcedure
    .concat(raises("REGISTRATION_CLOSED"))
    .output(OwnAccount)
    .mutation(({ ctx: { auth, principal } }) => own.cancelDeletion(auth.deps, { principal, caller: auth.caller })),

  /** What happened to it: the newest first. */
  events: protectedProcedure
    .input(ListOwnEventsInput)
    .output(SecurityEventPage)
    .query(({ ctx: { auth, principal }, input }) => listOwnEvents(auth.deps, input, principal.accountId)),
});

type Built = typeof accountRouter;
/** The type of `auth.accountRouter`. An interface, so that editors show its name and not all of its procedures. */
export interface AccountRouter extends Built {}
