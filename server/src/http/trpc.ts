/** The procedures of a router, with what tRPC leaves open by default closed. */
import { type AnyTRPCRouter, getTRPCErrorFromUnknown, type inferRouterContext, TRPCError } from "@trpc/server";
import { resolveResponse } from "@trpc/server/http";
import { type Context, Hono } from "hono";
import type { Caller, Deps, Log } from "../deps.ts";
import { type AuthContext, makeContext } from "../trpc/context.ts";
import { refusalIn } from "../trpc/errors.ts";
import { openEventStream } from "./event-stream.ts";
import { type RequestVariables, replyJson } from "./every-request.ts";
import { limitBody } from "./limits.ts";
import { logFailure } from "./log-failure.ts";
import { refusalHeaders } from "./refusal.ts";
import { sessionCookieOf } from "./session-cookie.ts";
import { answerQueries, type Queries, readQueries } from "./trpc-queries.ts";

/** Calls in one batch. */
const maxBatchSize = 10;

/** Makes the context of an application's router from ours. */
export type ContextMaker<Router extends AnyTRPCRouter> = (
  auth: AuthContext,
  request: Request,
) => inferRouterContext<Router> | Promise<inferRouterContext<Router>>;

type RequestContext = Context<{ Variables: RequestVariables }>;

interface Failed {
  readonly context: RequestContext;
  readonly request: Request;
}

export function trpcRoutes<Router extends AnyTRPCRouter>(options: {
  /** Where they are, as in `/trpc`. */
  readonly at: string;
  readonly router: Router;
  readonly createContext: ContextMaker<Router>;
  readonly start: () => Promise<Deps>;
  readonly callerOf: (context: Context) => Caller;
  readonly log: Log;
  /** Origins whose pages may change things with the session cookie. */
  readonly origins: readonly string[];
}): Hono<{ Variables: RequestVariables }> {
  const { at, router, createContext, start, callerOf, log, origins } = options;
  const procedureIn = (context: RequestContext) => context.req.path.slice(at.length + 1);

  async function contextOf(context: RequestContext, setCookie: ((line: string) => void) | null) {
    const deps = await start();
    const authorization = context.req.header("authorization") ?? null;
    const cookie = sessionCookieOf(context, deps, { origins, setCookie });
    return createContext(makeContext(deps, { authorization, cookie }, callerOf(context)), context.req.raw);
  }

  function report(error: TRPCError, path: string | undefined, { context, request }: Failed): void {
    const fields = { requestId: context.get("requestId"), path };
    const refusal = refusalIn(error);
    if (refusal !== null) logFailure(log, refusal, fields);
    else if (error.code === "INTERNAL_SERVER_ERROR" && !isBrokenOff(error, request))
      log.error({ ...fields, err: error.cause ?? error }, "a procedure failed");
  }

  function respond(context: RequestContext, error: TRPCError | null): Promise<Response> {
    const queries =
      error === null ? readQueries(router, context.req, { path: procedureIn(context), maxBatchSize }) : null;
    return queries === null ? respondByTRPC(context, error) : respondToQueries(context, queries);
  }

  async function respondToQueries(context: RequestContext, queries: Queries): Promise<Response> {
    const request = context.req.raw;
    const cookies: string[] = [];
    context.set("procedures", queries.paths);
    const made = contextOf(context, (line) => void cookies.push(line));
    try {
      const { status, body, errors } = await answerQueries(router, queries, {
        context: await made,
        signal: request.signal,
        onFailure: ({ error, path }) => report(error, path, { context, request }),
      });
      const reply = replyJson(context, status, body, { ...replyHeaders(errors), vary: "trpc-accept, accept" });
      for (const line of cookies) reply.headers.append("set-cookie", line);
      return reply;
    } catch (failure) {
      // There is no context, or what was returned cannot be sent. How that is told is tRPC's.
      return respondByTRPC(context, getTRPCErrorFromUnknown(failure), () => made);
    }
  }

  async function respondByTRPC(
    context: RequestContext,
    error: TRPCError | null,
    makeContextOf = contextOf,
  ): Promise<Response> {
    const stream = openEventStream(context);
    const cookies: string[] = [];
    // The head of a streamed reply is sent before a procedure ends.
    const isStreamed = context.req.header("trpc-accept") === "application/jsonl";
    const setCookie = isStreamed ? null : (line: string) => void cookies.push(line);
    const response = await resolveResponse({
      router,
      req: stream?.request ?? context.req.raw,
      path: procedureIn(context),
      error,
      maxBatchSize,
      allowMethodOverride: false,
      createContext: () => makeContextOf(context, setCookie),
      onError: ({ error, path, req: request }) => report(error, path, { context, request }),
      responseMeta: ({ errors, info }) => {
        context.set("procedures", info?.calls.flatMap(({ path, procedure }) => (procedure ? [path] : [])) ?? []);
        return { headers: new Headers(replyHeaders(errors)) };
      },
    });
    for (const line of cookies) response.headers.append("set-cookie", line);
    // tRPC leaves it out of what it refuses before a procedure is found.
    if (response.status >= 400) response.headers.set("content-type", "application/json");
    return stream?.respond(response) ?? response;
  }

  return new Hono<{ Variables: RequestVariables }>()
    .use(
      `${at}/*`,
      limitBody((context) =>
        respond(context, new TRPCError({ code: "PAYLOAD_TOO_LARGE", message: "The request is too large." })),
      ),
    )
    .all(`${at}/*`, (context) => respond(context, unsupportedMediaType(context.req.raw)));
}

function replyHeaders(errors: readonly TRPCError[]): Record<string, string> {
  const refusals = errors.map(refusalIn).filter((refusal) => refusal !== null);
  return { "cache-control": "no-store", ...refusalHeaders(refusals) };
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
