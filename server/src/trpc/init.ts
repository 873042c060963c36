import { transformer } from "@countersign/shared";
import { initTRPC } from "@trpc/server";
import type { AuthContext } from "./context.ts";
import { errorFormatter } from "./errors.ts";

/** tRPC, for our own routers and for applications without a `t` of their own. No meta type, so that guards concat onto any. */
export const t = initTRPC.context<AuthContext>().create({ transformer, errorFormatter, isDev: false });
