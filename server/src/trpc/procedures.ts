import type { Principal } from "@countersign/shared";
import { adminRole } from "../options.ts";
import { makeGuardedProcedure, makePublicProcedure } from "./guards.ts";

/** What a sign-in may be old for what an open laptop must not be enough for, in seconds. */
const recent = 300;

/** The base of our own public procedures. */
export const publicProcedure = makePublicProcedure();

/** The base of our own protected procedures. */
export const protectedProcedure = makeGuardedProcedure({});

/** For a person's own lasting harm: after a recent sign-in. */
export const freshProcedure = makeGuardedProcedure<Principal, "FRESH_LOGIN_REQUIRED">({ maxAge: recent });

/** For administrators. */
export const adminProcedure = makeGuardedProcedure<Principal, "INSUFFICIENT_ROLE">({ role: adminRole });

/** For what makes an administrator of whoever finds an open laptop, or cannot be taken back: after a recent sign-in. */
export const freshAdminProcedure = makeGuardedProcedure<Principal, "INSUFFICIENT_ROLE" | "FRESH_LOGIN_REQUIRED">({
  role: adminRole,
  maxAge: recent,
});
