/** What the pages call: our own procedures, whatever an application mounts, and what the developer's page says. */
import type { AnyTRPCRouter } from "@trpc/server";
import { z } from "zod";
import { accessMatrix, loadLazyRouters } from "../../trpc/access.ts";
import { t } from "../../trpc/init.ts";
import { adminProcedure } from "../../trpc/procedures.ts";
import { accountRouter } from "../../trpc/routers/account.ts";
import { adminRouter } from "../../trpc/routers/admin.ts";
import { authRouter } from "../../trpc/routers/auth.ts";
import { usersRouter } from "../../trpc/routers/users.ts";

const DeveloperFacts = z.object({
  issuer: z.string(),
  audience: z.string(),
  /** What each procedure of the application demands; empty where the router cannot be read, and `problem` says why. */
  access: z.array(
    z.object({
      path: z.string(),
      type: z.string(),
      signedIn: z.boolean(),
      scopes: z.array(z.string()),
      roles: z.array(z.string()),
      /** The greatest age of the sign-in, in seconds. */
      maxAge: z.number().nullable(),
    }),
  ),
  problem: z.string().nullable(),
});

/** @param application The router that is served under `/trpc`. */
export function makePagesRouter(application: AnyTRPCRouter) {
  return t.router({
    auth: authRouter,
    account: accountRouter,
    users: usersRouter,
    admin: adminRouter,
    developer: adminProcedure.output(DeveloperFacts).query(async ({ ctx: { auth } }) => {
      const { issuer, audience } = auth.deps.settings;
      return { issuer, audience, ...(await accessOf(application)) };
    }),
  });
}

/** The type of the router that the pages call. */
export type PagesRouter = ReturnType<typeof makePagesRouter>;

async function accessOf(router: AnyTRPCRouter): Promise<Pick<z.output<typeof DeveloperFacts>, "access" | "problem">> {
  try {
    await loadLazyRouters(router);
    const access = accessMatrix(router).map((row) => ({ ...row, scopes: [...row.scopes], roles: [...row.roles] }));
    return { access, problem: null };
  } catch (error) {
    // A router with procedures that declare nothing: the sentence names them.
    if (error instanceof TypeError) return { access: [], problem: error.message };
    throw error;
  }
}
