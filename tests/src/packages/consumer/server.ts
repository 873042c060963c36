/** A stranger's application: everything is exported and nothing is annotated, so that tsc has to write all of it into declarations. */
import { type AuthContext, createApp, createAuth, errorFormatter, serve, transformer } from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import { initTRPC } from "@trpc/server";

export const auth = createAuth({
  database: sqlite(":memory:"),
  secret: "an-example-secret-of-43-base64url-characters",
  issuer: "https://notes.example",
  scopes: { "notes:write": "Write your notes" },
  roles: { editor: { scopes: ["notes:write"] } },
  claims: ({ username }) => ({ team: `team of ${username}` }),
});

const t = initTRPC
  .context<AuthContext & { readonly region: string }>()
  .meta<{ readonly rateLimit?: number }>()
  .create({ transformer, errorFormatter });

export const signedIn = t.procedure.concat(auth.protectedProcedure);
export const writer = t.procedure.concat(auth.requires({ scope: "notes:write", maxAge: 300 }));

export const appRouter = t.router({
  auth: auth.router,
  users: auth.usersRouter,
  whoAmI: signedIn.query(({ ctx }) => ({ ...ctx.principal, region: ctx.region })),
  write: writer.mutation(({ ctx }) => ctx.principal.claims.team),
});
export type AppRouter = typeof appRouter;

/** The same without a `t` of its own. */
export const plainRouter = auth.t.router({
  auth: auth.router,
  whoAmI: auth.protectedProcedure.query(({ ctx }) => ctx.principal),
});

export const app = createApp(auth, {
  router: appRouter,
  createContext: (context) => ({ ...context, region: "north" }),
});

/** Serves on a free port. */
export function listen() {
  return serve(app, { port: 0, host: "127.0.0.1" });
}
