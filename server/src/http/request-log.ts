/** One line a request, when it is answered. Of what the caller sent, only names that we know are written. */
import type { MiddlewareHandler } from "hono";
import type { Log } from "../deps.ts";
import { routeOf } from "./route-of.ts";

/** What the middlewares and routes leave for each other in a request's context. */
export interface RequestVariables {
  requestId: string;
  /** The procedures called, as far as they exist. */
  procedures?: readonly string[];
}

export function requestLog(log: Log): MiddlewareHandler<{ Variables: RequestVariables }> {
  return async (context, next) => {
    const startedAt = performance.now();
    await next();
    const { status } = context.res;
    // Only now: a route may answer with a Response of its own making, which knows nothing of headers set before.
    context.header("x-request-id", context.get("requestId"));
    const procedures = context.get("procedures");
    const fields = {
      requestId: context.get("requestId"),
      method: context.req.method,
      route: routeOf(context) ?? "none",
      ...(procedures && { procedures }),
      status,
      milliseconds: Math.round((performance.now() - startedAt) * 10) / 10,
    };
    if (status >= 500) log.error(fields, "request failed");
    else log.info(fields, "request");
  };
}
