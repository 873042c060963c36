import { makeGuardedProcedure, makePublicProcedure } from "./guards.ts";

/** The base of our own public procedures. */
export const publicProcedure = makePublicProcedure();

/** The base of our own protected procedures. */
export const protectedProcedure = makeGuardedProcedure({});
