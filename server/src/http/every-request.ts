/** What every request gets: an id, the headers of every reply, a line in the log, and a place in the metrics. */
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { Log } from "../deps.ts";
import type { Metrics } from "./metrics.ts";

/** What the middlewares and routes leave for each other in a request's context. */
export interface RequestVariables {
  requestId: string;
  /** What every reply has. */
  commonHeaders: Readonly<Record<string, string>>;
  /** A reply that has them already. */
  reply?: Response;
  /** The procedures called, as far as they exist. */
  procedures?: readonly string[];
}

/** A request that was answered. Of what the caller sent, it has only names that we know. */
export interface AnsweredRequest {
  readonly method: string;
  /** The pattern of the route that answered, as in `/trpc/*`. */
  readonly route: string;
  readonly procedures: readonly string[] | undefined;
  readonly status: number;
  readonly milliseconds: number;
}

/** One middleware for all of it: each costs as much as the check of a token. */
export function everyRequest(options: {
  readonly issuer: string;
  readonly log: Log;
  readonly metrics: Metrics;
}): MiddlewareHandler<{ Variables: RequestVariables }> {
  const { issuer, log, metrics } = options;
  const always = issuer.startsWith("https:") ? { ...securityHeaders, ...onHttps } : securityHeaders;
  return async (context, next) => {
    const startedAt = performance.now();
    // Always our own: a caller's would be one thing in the log that a stranger wrote.
    const requestId = crypto.randomUUID();
    const commonHeaders: Record<string, string> = { ...always, "x-request-id": requestId };
    context.set("requestId", requestId);
    context.set("commonHeaders", commonHeaders);
    await next();
    if (context.res !== context.get("reply")) {
      changeHeaders(context, (headers) => {
        const policy = headers.get("content-security-policy");
        for (const [name, value] of Object.entries(commonHeaders)) headers.set(name, value);
        if (policy !== null) headers.set("content-security-policy", policy);
      });
    }
    const answered: AnsweredRequest = {
      method: context.req.method,
      route: routeOf(context) ?? "none",
      procedures: context.get("procedures"),
      status: context.res.status,
      milliseconds: performance.now() - startedAt,
    };
    metrics.count(answered);
    logRequest(log, requestId, answered);
  };
}

/**
 * Changes the headers of the reply itself, where Hono's `header` makes another of it, whose body is a stream. Of one that may not be
 * changed, as what `fetch` answered, another is made here.
 */
export function changeHeaders(context: Context, change: (headers: Headers) => void): void {
  try {
    change(context.res.headers);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    context.res = new Response(context.res.body, context.res);
    change(context.res.headers);
  }
}

/** A reply in JSON with what every reply has, made in one go: to add a header to one costs more than to make it. */
export function replyJson(
  context: Context<{ Variables: RequestVariables }>,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Response {
  const reply = new Response(JSON.stringify(body), {
    status,
    headers: { ...context.get("commonHeaders"), "content-type": "application/json", ...headers },
  });
  context.set("reply", reply);
  return reply;
}

/** An application's own pages get them too: without any referrer, browsers send `Origin: null` with their forms. */
const securityHeaders: Readonly<Record<string, string>> = {
  // Of what is no page of ours; those have a policy of their own (ASVS 5.0 3.4.6).
  "content-security-policy": "frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "origin-agent-cluster": "?1",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-dns-prefetch-control": "off",
  "x-download-options": "noopen",
  "x-frame-options": "DENY",
  "x-permitted-cross-domain-policies": "none",
  // The filter of old browsers could be used against a page.
  "x-xss-protection": "0",
};

/** A year, with the hosts below (ASVS 5.0 3.4.1). */
const onHttps: Readonly<Record<string, string>> = {
  "strict-transport-security": "max-age=31536000; includeSubDomains",
};

/** The pattern of the route that answered; `null` when none did. Never the path, which may hold anything. */
function routeOf(context: Context): string | null {
  return matchedRoutes(context).findLast(({ path }) => path !== "/*")?.path ?? null;
}

function logRequest(log: Log, requestId: string, { procedures, milliseconds, ...answered }: AnsweredRequest): void {
  const fields = {
    requestId,
    ...answered,
    ...(procedures && { procedures }),
    milliseconds: Math.round(milliseconds * 10) / 10,
  };
  // A 503 is no failure of its own: why the database could not be reached has its line, and that there is too much to do needs none,
  // least of all while there is too much to do.
  if (answered.status >= 500 && answered.status !== 503) log.error(fields, "request failed");
  else log.info(fields, "request");
}
