/**
 * A guard is a tRPC middleware that also says what it demands, readable from a built router. From that one source come
 * the check, the typed errors, the access matrix and the security requirements in OpenAPI.
 */
import { AuthError, type Principal, type Raised, type Reason, type WireError } from "@countersign/shared";
import type { TRPCProcedureBuilder, TRPCUnsetMarker } from "@trpc/server";
import { z } from "zod";
import { confirmPrincipal } from "../flows/sessions/resolve-principal.ts";
import { watchPrincipal } from "../flows/sessions/watch-principal.ts";
import { sentencesOf } from "../input-issues.ts";
import type { AuthContext, RequestAuth } from "./context.ts";
import { errorFormatter } from "./errors.ts";
import type { DemandReason, PublicReason, SignedInReason } from "./guard-reasons.ts";
import { t } from "./init.ts";
import { shapingFailures, withOnly } from "./shaped-failures.ts";
import { watchSubscription } from "./watched-subscription.ts";

/** What a procedure demands of its caller. */
export interface Demands {
  readonly signedIn: boolean;
  /** All of these. */
  readonly scopes: readonly string[];
  /** All of these. */
  readonly roles: readonly string[];
  /** The greatest age of the sign-in, in seconds; `null` for any. */
  readonly maxAge: number | null;
}

/** A principal of any scopes, roles and claims. */
export type AnyPrincipal = Principal<string, string, object>;

/** What `requires` takes. */
export interface Requirements<
  Scope extends string = string,
  Role extends string = string,
  MaxAge extends number = number,
> {
  /** A scope, or several of which all are needed. */
  readonly scope?: Scope | readonly Scope[];
  readonly role?: Role;
  /** The greatest age of the sign-in, in seconds. An older one is `FRESH_LOGIN_REQUIRED`. */
  readonly maxAge?: MaxAge;
}

/** Registered, so that a command of one copy of this package reads the guards that another copy made. */
const demandsKey = Symbol.for("countersign.demands");

interface Declaring {
  readonly [demandsKey]?: Demands;
}

/** Reads what a procedure demands from its middlewares; `null` when it declares nothing. */
export function readDemands(middlewares: readonly Declaring[]): Demands | null {
  const found = middlewares.map((middleware) => middleware[demandsKey]).filter((demands) => demands !== undefined);
  if (found.length === 0) return null;
  const ages = found.map(({ maxAge }) => maxAge).filter((age) => age !== null);
  return {
    signedIn: found.some(({ signedIn }) => signedIn),
    scopes: [...new Set(found.flatMap(({ scopes }) => scopes))],
    roles: [...new Set(found.flatMap(({ roles }) => roles))],
    maxAge: ages.length === 0 ? null : Math.min(...ages),
  };
}

/** A procedure builder that adds `Context`, and refuses for the reasons `R`. */
type Guard<Context, R extends Reason> = TRPCProcedureBuilder<
  AuthContext,
  object,
  Context,
  TRPCUnsetMarker,
  TRPCUnsetMarker,
  TRPCUnsetMarker,
  TRPCUnsetMarker,
  false,
  WireError | Raised<R>
>;

/** A procedure builder for everyone. */
export type PublicProcedure = Guard<object, PublicReason>;

/**
 * A procedure builder for signed-in callers: `ctx.principal` is the caller's. `R` are the reasons of what it demands
 * beside the sign-in.
 */
export type ProtectedProcedure<P extends AnyPrincipal = Principal, R extends DemandReason = never> = Guard<
  { principal: P },
  SignedInReason | R
>;

/** A procedure for everyone, declared as such. */
export function makePublicProcedure(): PublicProcedure {
  const demands: Demands = { signedIn: false, scopes: [], roles: [], maxAge: null };
  const guard = declaring(
    demands,
    shapingFailures<object>(({ next }) => next()),
  );
  return withOnly(guard, t.procedure.errors<WireError | Raised<PublicReason>>(errorFormatter).use(guard));
}

/**
 * A procedure for signed-in callers who meet the requirements; `ctx.principal` is theirs.
 *
 * The caller of this function vouches for `P`: `createAuth` derives it from the options that the tokens are made with.
 * And for `R`, which are the reasons of the requirements.
 */
export function makeGuardedProcedure<P extends AnyPrincipal = Principal, R extends DemandReason = never>(
  requirements: Requirements,
): ProtectedProcedure<P, R> {
  const demands = toDemands(requirements);
  const guard = declaring(
    demands,
    shapingFailures<{ principal: P }>(async ({ ctx, next, type, path, signal }) => {
      const proving = prove(demands, ctx.auth);
      const proved = proving instanceof Promise ? await proving : proving;
      const principal = proved as AnyPrincipal as P;
      const result = await next({ ctx: { principal } });
      if (type !== "subscription" || !result.ok) return result;
      return { ...result, data: keepTrue(result.data, { demands, auth: ctx.auth, principal: proved, path, signal }) };
    }),
  );
  return withOnly(guard, t.procedure.errors<WireError | Raised<SignedInReason | R>>(errorFormatter).use(guard));
}

/** A subscription lives longer than the moment in which its caller was checked: it ends when that is no longer true. */
function keepTrue(
  subscription: unknown,
  call: {
    readonly demands: Demands;
    readonly auth: RequestAuth;
    readonly principal: Principal;
    readonly path: string;
    readonly signal: AbortSignal | undefined;
  },
): unknown {
  const { demands, auth, principal, path, signal } = call;
  const { deps } = auth;
  const needsCertainty = demands.maxAge !== null;
  const watch = watchPrincipal(deps, principal, { verifyAgain: () => auth.principal(), needsCertainty });
  const onError = (err: unknown) => deps.log.error({ path, err }, "a subscription failed when it was over");
  return watchSubscription(subscription, { watch, signal, onError });
}

/** Who calls, if they meet what is demanded: at once where nothing has to be waited for. */
function prove(demands: Demands, auth: RequestAuth): Principal | Promise<Principal> {
  const proved = auth.prove();
  if (!(proved instanceof Promise) && demands.maxAge === null) return meet(demands, proved);
  return proveSlowly(demands, auth, proved);
}

async function proveSlowly(
  demands: Demands,
  auth: RequestAuth,
  proving: Principal | null | Promise<Principal | null>,
): Promise<Principal> {
  const principal = meet(demands, await proving);
  if (demands.maxAge !== null) await requireFresh(demands.maxAge, principal, auth);
  return principal;
}

/** @throws {AuthError} `TOKEN_MISSING`, `INSUFFICIENT_SCOPE`, `INSUFFICIENT_ROLE` */
function meet({ scopes, roles }: Demands, principal: Principal | null): Principal {
  if (principal === null) throw new AuthError("TOKEN_MISSING");
  if (!scopes.every((scope) => principal.scopes.includes(scope)))
    throw new AuthError("INSUFFICIENT_SCOPE", { missing: scopes.filter((scope) => !principal.scopes.includes(scope)) });
  const role = roles.find((role) => !principal.roles.includes(role));
  if (role !== undefined) throw new AuthError("INSUFFICIENT_ROLE", { role });
  return principal;
}

async function requireFresh(maxAge: number, principal: Principal, { deps }: RequestAuth): Promise<void> {
  if (deps.now() - principal.authTime.getTime() > maxAge * 1_000)
    throw new AuthError("FRESH_LOGIN_REQUIRED", { maxAge });
  // What needs a fresh sign-in needs certainty too: it is never answered from the signature alone.
  await confirmPrincipal(deps, principal);
}

/**
 * Checks at run time what the types say, for whoever calls without them: a guard that demands less than was meant is the
 * worst way to find out.
 *
 * @throws {TypeError} naming what is wrong.
 */
export function checkRequirements(
  requirements: Requirements,
  declared: { readonly scopes: readonly string[]; readonly roles: readonly string[] },
): Requirements {
  const rule = (name: string, names: readonly string[]) =>
    `"${name}" must be of those that createAuth declares: ${names.map((name) => `"${name}"`).join(", ") || "none"}`;
  const scope = z.enum(declared.scopes);
  const Schema = z.strictObject({
    scope: z.union([scope, z.array(scope).min(1)], rule("scope", declared.scopes)).optional(),
    role: z.enum(declared.roles, rule("role", declared.roles)).optional(),
    maxAge: z.number('"maxAge" must be a number of seconds').positive('"maxAge" must be positive').optional(),
  });
  const { error } = Schema.safeParse(requirements);
  if (error) throw new TypeError(`requires: ${sentencesOf(error).join("; ")}`);
  return requirements;
}

function toDemands({ scope, role, maxAge }: Requirements): Demands {
  return {
    signedIn: true,
    scopes: scope === undefined ? [] : typeof scope === "string" ? [scope] : [...scope],
    roles: role === undefined ? [] : [role],
    maxAge: maxAge ?? null,
  };
}

/** Marks a middleware with what it demands. */
function declaring<Middleware extends object>(demands: Demands, middleware: Middleware): Middleware {
  return Object.assign(middleware, { [demandsKey]: demands });
}
