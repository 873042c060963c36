import {
  ActivityInput,
  AuditEventPage,
  Health,
  HourOfActivity,
  ListEventsInput,
  RotateKeyInput,
  SigningKey,
} from "@countersign/shared/schemas";
import { z } from "zod";
import { listActivity } from "../../flows/activity.ts";
import { rotateKey } from "../../flows/keys/rotate-key.ts";
import { listEvents } from "../../flows/list-events.ts";
import { serverHealth } from "../../flows/server-health.ts";
import { t } from "../init.ts";
import { adminProcedure, freshAdminProcedure } from "../procedures.ts";

/** The server itself, for role `admin`. Mounted as `admin`. */
export const adminRouter = t.router({
  /** What happened: the newest first. */
  events: adminProcedure
    .input(ListEventsInput)
    .output(AuditEventPage)
    .query(({ ctx: { auth }, input }) => listEvents(auth.deps, input)),

  activity: adminProcedure
    .input(ActivityInput)
    .output(z.array(HourOfActivity))
    .query(({ ctx: { auth }, input }) => listActivity(auth.deps, input)),

  health: adminProcedure.output(Health).query(({ ctx: { auth } }) => serverHealth(auth.deps)),

  keys: t.router({
    list: adminProcedure.output(z.array(SigningKey)).query(({ ctx: { auth } }) => [...auth.deps.keys.list()]),

    rotate: freshAdminProcedure
      .input(RotateKeyInput)
      .output(SigningKey)
      .mutation(({ ctx: { auth, principal }, input }) =>
        rotateKey(auth.deps, input, { actorId: principal.accountId, caller: auth.caller }),
      ),
  }),
});

type Built = typeof adminRouter;
/** The type of `auth.adminRouter`. An interface, so that editors show its name and not all of its procedures. */
export interface AdminRouter extends Built {}
