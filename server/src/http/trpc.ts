/** `/trpc/*`: the procedures, with what tRPC leaves open by default closed. */
import { type AnyTRPCRouter, type inferRouterContext, TRPCError } from "@trpc/server";
import { resolveResponse } from "@trpc/server/http";
import { type Context, Hono } from "hono";
import type { Caller, Deps, Log } from "../deps.ts";
import { type AuthContext, makeContext } from "../trpc/context.ts";
import { refusalIn } from "../trpc/errors.ts";
import { openEventStream } from "./event-stream.ts";
import { limitBody } from "./limits.ts";
import { logFailure } from "./log-failure.ts";
import { refusalHeaders } from "./refusal.ts";
import type { RequestVariables } from "./request-log.ts";
import { sessionCookieOf } from "./session-cookie.ts";

/** Calls in one batch. */
const maxBatchSize = 10;

/** Makes the context of an application's router from ours. */
export type ContextMaker<Router extends AnyTRPCRouter> = (
  auth: AuthContext,
  request: Request,
) => inferRouterContext<Router> | Promise<inferRouterContext<Router>>;

export function trpcRoutes<Router extends AnyTRPCRouter>(options: {
  readonly router: Router;
  readonly createContext: ContextMaker<Router>;
  readonly start: () => Promise<Deps>;
  readonly callerOf: (context: Context) => Caller;
  readonly log: Log;
  /** Origins whose pages may change things with the session cookie. */
  readonly origins: readonly string[];
}): Hono<{ Variables: RequestVariables }> {
  const { router, createContext, start, callerOf, log, origins } = options;

  async function respond(context: Context<{ Variables: RequestVariables }>, error: TRPCError | null) {
    const stream = openEventStream(context);
    const cookies: string[] = [];
    // The head of a streamed reply is sent before a procedure ends.
    const isStreamed = context.req.header("trpc-accept") === "application/jsonl";
    const setCookie = isStreamed ? null : (line: string) => void cookies.push(line);
    const response = await resolveResponse({
      router,
      req: stream?.request ?? context.req.raw,
      path: context.req.path.slice("/trpc/".length),
      error,
      maxBatchSize,
      allowMethodOverride: false,
      async createContext() {
        const deps = await start();
        const authorization = context.req.header("authorization") ?? null;
        const cookie = sessionCookieOf(context, deps, { origins, setCookie });
        return createContext(makeContext(deps, { authorization, cookie }, callerOf(context)), context.req.raw);
      },
      onError: ({ error, path, req }) => {
        const fields = { requestId: context.get("requestId"), path };
        const refusal = refusalIn(error);
        if (refusal !== null) logFailure(log, refusal, fields);
        else if (error.code === "INTERNAL_SERVER_ERROR" && !isBrokenOff(error, req))
          log.error({ ...fields, err: error.cause ?? error }, "a procedure failed");
      },
      responseMeta: ({ errors, info }) => {
        context.set("procedures", info?.calls.flatMap(({ path, procedure }) => (procedure ? [path] : [])) ?? []);
        const refusals = errors.map(refusalIn).filter((refusal) => refusal !== null);
        return { headers: new Headers({ "cache-control": "no-store", ...refusalHeaders(refusals) }) };
      },
    });
    for (const line of cookies) response.headers.append("set-cookie", line);
    // tRPC leaves it out of what it refuses before a procedure is found.
    if (response.status >= 400) response.headers.set("content-type", "application/json");
    return stream?.respond(response) ?? response;
  }

  return new Hono<{ Variables: RequestVariables }>()
    .use(
      "/trpc/*",
      limitBody((context) =>
        respond(context, new TRPCError({ code: "PAYLOAD_TOO_LARGE", message: "The request is too large." })),
      ),
    )
    .all("/trpc/*", (context) => respond(context, unsupportedMediaType(context.req.raw)));
}

/** A subscription whose caller went away, or that this server ended: its resolver was told by its signal, and nothing failed. */
function isBrokenOff({ cause }: TRPCError, { signal }: Request): boolean {
  return signal.aborted && cause?.name === "AbortError";
}

/** A form of another origin can send three content types without being asked first; none of them is JSON. */
function unsupportedMediaType(request: Request): TRPCError | null {
  if (request.method === "GET" || request.method === "HEAD") return null;
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type === "application/json") return null;
  return new TRPCError({ code: "UNSUPPORTED_MEDIA_TYPE", message: "Send application/json." });
}
