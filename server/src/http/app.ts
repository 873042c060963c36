/** The HTTP face: middleware in order, then the routes. Its `fetch` mounts anywhere. */
import { AuthError } from "@countersign/shared";
import type { AnyTRPCRouter, inferRouterContext } from "@trpc/server";
import { Hono, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { Auth } from "../create-auth.ts";
import { startOrRefuse } from "../start-or-refuse.ts";
import type { AuthContext } from "../trpc/context.ts";
import { type RootRouter, rootRouter } from "../trpc/routers/root.ts";
import { createCallerReader, parseTrustedProxies } from "./caller.ts";
import { docsRoutes } from "./docs.ts";
import { changeHeaders, everyRequest, type RequestVariables } from "./every-request.ts";
import { healthRoutes } from "./health.ts";
import { limitBody } from "./limits.ts";
import { logFailure } from "./log-failure.ts";
import { createMetrics } from "./metrics.ts";
import { openApiRoutes } from "./openapi.ts";
import { checkOrigins } from "./origins.ts";
import { type PagesOptions, pageRoutes } from "./pages/pages.ts";
import { reply, resourceRefusal } from "./refusal.ts";
import { tokenRoutes } from "./token.ts";
import { type ContextMaker, trpcRoutes } from "./trpc.ts";
import { usersMeRoutes } from "./users-me.ts";
import { wellKnownRoutes } from "./well-known.ts";

/** What `createApp` needs of `createAuth`'s result. */
export type AppAuth = Pick<Auth, "start" | "options" | "log">;

/** What `createApp` takes beside the auth. `createContext` may be left out where the router needs no context but ours. */
export type AppOptions<Router extends AnyTRPCRouter = RootRouter> = PlainAppOptions<Router> &
  (AuthContext extends inferRouterContext<Router>
    ? {
        /** Makes the router's context from ours. Default: ours as it is. */ readonly createContext?: ContextMaker<Router>;
      }
    : { /** Makes the router's context from ours. */ readonly createContext: ContextMaker<Router> });

interface PlainAppOptions<Router extends AnyTRPCRouter> {
  /** The router to serve under `/trpc`. Default: ours alone, as `auth` and `users`. */
  readonly router?: Router;
  /** Origins of browsers that may call from elsewhere, exactly as in `https://app.example`. Default: none. */
  readonly origins?: readonly string[];
  /** Proxies whose `X-Forwarded-For` is believed: addresses or CIDR ranges. Default: none. */
  readonly trustedProxies?: readonly string[];
  /**
   * The IP address of whoever sent a request, where it is not to be had from a socket of Node: `env` is what the platform
   * gives to `fetch`, as Bun's server or a worker's bindings. Default: the socket's, and what `trustedProxies` say.
   * Without an address there are no limits by address, and none can be told from an owner.
   */
  readonly address?: (request: Request, env: unknown) => string | null;
  /**
   * How the pages look: `/sign-in`, `/sign-up`, `/setup`, `/account`, `/admin`, `/developer`. `false` leaves them out, for an
   * application that has its own. Default: ours, under our name.
   */
  readonly pages?: PagesOptions | false;
}

/** The app: a `fetch` handler. */
export type App = Hono<{ Variables: RequestVariables }>;

/**
 * The Hono app with every route of Countersign, and an application's own router under `/trpc`.
 *
 * @throws {TypeError} when an origin or a proxy is malformed.
 *
 * @example
 * ```ts
 * const app = createApp(auth, { router: auth.t.router({ auth: auth.router }) });
 * export default { fetch: app.fetch };
 * ```
 */
export function createApp<Router extends AnyTRPCRouter = RootRouter>(
  auth: AppAuth,
  // Left out, the router is ours, whose context is ours too.
  options: AppOptions<Router> = {} as AppOptions<Router>,
): App {
  const { origins = [], trustedProxies = [], address, pages = {} } = options;
  const { log } = auth;
  const callerOf = createCallerReader({ trusted: parseTrustedProxies(trustedProxies), address, log });
  const start = () => startOrRefuse(auth.start, log);
  // Without a router of its own an application gets ours, and ours needs nothing but our context.
  const router = (options.router ?? rootRouter) as Router;
  const createContext = options.createContext ?? ((context) => context as never);

  const metrics = createMetrics(start);

  const app: App = new Hono();
  app.use(everyRequest({ issuer: auth.options.issuer, log, metrics }));
  if (origins.length > 0) app.use(allowOrigins(checkOrigins(origins)));

  app.route("/", trpcRoutes({ at: "/trpc", router, createContext, start, callerOf, log, origins }));
  app.use(limitBody(tooLarge));
  app.route("/", tokenRoutes({ start, callerOf, log }));
  app.route("/", usersMeRoutes(start, callerOf));
  app.route("/", wellKnownRoutes(start));
  app.route("/", healthRoutes(start));
  app.route("/", metrics.routes);
  app.route("/", openApiRoutes(router, { issuer: auth.options.issuer, scopes: auth.options.scopes ?? {} }));
  app.route("/", docsRoutes());
  if (pages !== false) app.route("/", pageRoutes(pages, { start, callerOf, log, router }));

  const methods = methodsByPath(app);
  app.notFound((context) => {
    // Not a route: an application that has a page of its own here adds one.
    if (context.req.path === "/" && context.req.method === "GET")
      return context.redirect(pages === false ? "/docs" : "/account");
    const allowed = methods.get(context.req.path);
    // A route that has nothing for whom it does answer says so by itself, as where there is no theme.
    const isAnother = allowed !== undefined && !allowed.split(", ").includes(context.req.method);
    return isAnother ? anotherMethod(allowed) : nothingHere();
  });
  app.onError((error, context) => {
    if (error instanceof AuthError) {
      logFailure(log, error, { requestId: context.get("requestId") });
      return resourceRefusal(error);
    }
    // Whoever goes away in the middle of a request has broken nothing of ours.
    if (context.req.raw.signal.aborted) return reply(400, brokenOff);
    log.error({ requestId: context.get("requestId"), err: error }, "a request failed");
    return reply(500, { error: "server_error", error_description: "Something went wrong on the server." });
  });
  return app;
}

const corsPolicy = {
  allowMethods: ["GET", "POST"],
  allowHeaders: ["authorization", "content-type", "countersign-account", "trpc-accept", "last-event-id"],
  exposeHeaders: ["x-request-id", "www-authenticate", "retry-after"],
  maxAge: 600,
};

/** Pages of these origins may read replies, also those to the session cookie. Others get not one header of CORS. */
function allowOrigins(origins: readonly string[]): MiddlewareHandler {
  const allow = cors({ ...corsPolicy, origin: [...origins], credentials: true });
  return async (context, next) => {
    const origin = context.req.header("origin") ?? "";
    const isAllowed = origins.includes(origin);
    if (isAllowed && context.req.method === "OPTIONS") return allow(context, next);
    await next();
    changeHeaders(context, (headers) => {
      // Whoever keeps the reply must not show it to an origin that it was not made for.
      headers.append("vary", "Origin");
      if (!isAllowed) return;
      headers.set("access-control-allow-origin", origin);
      headers.set("access-control-allow-credentials", "true");
      headers.set("access-control-expose-headers", corsPolicy.exposeHeaders.join());
    });
  };
}

/** The methods of the routes whose path is a plain text. */
function methodsByPath(app: App): ReadonlyMap<string, string> {
  const routes = app.routes.filter(({ method, path }) => method !== "ALL" && !/[*:]/.test(path));
  return new Map(routes.map(({ method, path }) => [path, method === "GET" ? "GET, HEAD" : method]));
}

function nothingHere(): Response {
  return reply(404, { error: "not_found", error_description: "There is nothing here.", reason: "NOT_FOUND" });
}

function anotherMethod(allowed: string): Response {
  const error_description = `This address takes other requests: ${allowed}.`;
  return reply(405, { error: "invalid_request", error_description, reason: "BAD_REQUEST" }, { allow: allowed });
}

const brokenOff = {
  error: "invalid_request",
  error_description: "The request ended before it was whole.",
  reason: "BAD_REQUEST",
};

function tooLarge(): Response {
  return reply(413, {
    error: "invalid_request",
    error_description: "The request is too large.",
    reason: "BAD_REQUEST",
  });
}
