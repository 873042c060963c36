/** `GET /users/me`: who the bearer of this token is (RFC 6750). */
import { AuthError } from "@countersign/shared";
import { type Context, Hono } from "hono";
import type { Caller, Deps } from "../deps.ts";
import { currentUser } from "../flows/sessions/current-session.ts";
import { makeContext } from "../trpc/context.ts";
import { type RequestVariables, replyJson } from "./every-request.ts";
import { sessionCookieOf } from "./session-cookie.ts";

export function usersMeRoutes(
  start: () => Promise<Deps>,
  callerOf: (context: Context) => Caller,
): Hono<{ Variables: RequestVariables }> {
  return new Hono<{ Variables: RequestVariables }>().get("/users/me", async (context) => {
    const deps = await start();
    const authorization = context.req.header("authorization") ?? null;
    const cookie = sessionCookieOf(context, deps, { origins: [], setCookie: null });
    const { auth } = makeContext(deps, { authorization, cookie }, callerOf(context));
    const principal = await auth.principal();
    if (principal === null) throw new AuthError("TOKEN_MISSING");
    return replyJson(context, 200, await currentUser(deps, principal), { "cache-control": "no-store" });
  });
}
