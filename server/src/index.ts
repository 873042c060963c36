/** What the package promises. */

export type { Failure, Principal, Raised, Reason, ReasonsOf, WireError, WireErrorData } from "@countersign/shared";
export { AuthError, isAuthError, transformer } from "@countersign/shared";
export type { Auth } from "./create-auth.ts";
export { createAuth } from "./create-auth.ts";
export { type Environment, readEnvironment } from "./environment.ts";
export { EnvironmentError } from "./environment-error.ts";
export { type App, type AppOptions, createApp } from "./http/app.ts";
export type { PagesRouter } from "./http/pages/pages-router.ts";
export { ListenError, type Served, serve } from "./http/serve.ts";
export type { ApplicationAccount, AuthOptions, ClaimsSubject } from "./options.ts";
export { type AccessRow, accessMatrix, loadLazyRouters } from "./trpc/access.ts";
export type { AuthContext, RequestAuth } from "./trpc/context.ts";
export { errorFormatter } from "./trpc/errors.ts";
export type { ReasonsOfDemands, SignedInReason } from "./trpc/guard-reasons.ts";
export type { ProtectedProcedure, PublicProcedure, Requirements } from "./trpc/guards.ts";
export { type RaisingProcedure, raises } from "./trpc/raises.ts";
export type { AccountRouter } from "./trpc/routers/account.ts";
export type { AdminRouter } from "./trpc/routers/admin.ts";
export type { AuthRouter } from "./trpc/routers/auth.ts";
export type { RootRouter } from "./trpc/routers/root.ts";
export type { UsersRouter } from "./trpc/routers/users.ts";
