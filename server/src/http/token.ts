/** `POST /token`: the form login of the FastAPI tutorial, and the refresh grant (RFC 6749 §4.3, §6). */
import { AuthError } from "@countersign/shared";
import { LoginInput, RefreshInput, type SignedIn } from "@countersign/shared/schemas";
import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Caller, Deps, Log } from "../deps.ts";
import { toSignedIn } from "../flows/sessions/issue-tokens.ts";
import { login } from "../flows/sessions/login.ts";
import { refresh } from "../flows/sessions/refresh.ts";
import { type RequestVariables, replyJson } from "./every-request.ts";
import { logFailure } from "./log-failure.ts";
import { parseFields } from "./parse-fields.ts";
import { reply, tokenRefusal } from "./refusal.ts";

/** The reply of RFC 6749 §5.1. */
export const TokenReply = z.object({
  access_token: z.string(),
  token_type: z.literal("bearer"),
  /** Seconds. */
  expires_in: z.int(),
  refresh_token: z.string(),
  scope: z.string(),
});

/** The form of the password grant. `grant_type` may be left out, as in the FastAPI tutorial. */
export const PasswordGrant = z.object({ grant_type: z.literal("password").default("password"), ...LoginInput.shape });

/** The form of the refresh grant. */
export const RefreshGrant = z.object({
  grant_type: z.literal("refresh_token"),
  refresh_token: RefreshInput.shape.refreshToken,
});

export function tokenRoutes({
  start,
  callerOf,
  log,
}: {
  start: () => Promise<Deps>;
  callerOf: (context: Context) => Caller;
  log: Log;
}): Hono<{ Variables: RequestVariables }> {
  return new Hono<{ Variables: RequestVariables }>().post("/token", async (context) => {
    const form = await readForm(context.req.raw);
    if (typeof form === "string")
      return reply(400, { error: "invalid_request", error_description: form, reason: "BAD_REQUEST" });
    const grantType = form.get("grant_type") || "password";
    if (grantType !== "password" && grantType !== "refresh_token") {
      const error_description = '"grant_type" must be "password" or "refresh_token"';
      return reply(400, { error: "unsupported_grant_type", error_description, reason: "BAD_REQUEST" });
    }
    try {
      const deps = await start();
      const signedIn = await exchange(deps, { grantType, fields: Object.fromEntries(form) }, callerOf(context));
      return replyJson(context, 200, toReply(signedIn), { "cache-control": "no-store" });
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      logFailure(log, error, { requestId: callerOf(context).requestId });
      return tokenRefusal(error);
    }
  });
}

async function exchange(
  deps: Deps,
  { grantType, fields }: { grantType: "password" | "refresh_token"; fields: Record<string, string> },
  caller: Caller,
): Promise<SignedIn> {
  if (grantType === "refresh_token") {
    const { refresh_token } = parseFields(RefreshGrant, fields);
    return toSignedIn(deps, await refresh(deps, { refreshToken: refresh_token }, caller));
  }
  const { username, password, scope } = parseFields(PasswordGrant, { ...fields, grant_type: grantType });
  return toSignedIn(deps, await login(deps, { username, password, ...(scope && { scope }) }, caller));
}

/** The fields of a form, or what is wrong with it. Parameters must not be repeated (RFC 6749 §3.2). */
async function readForm(request: Request): Promise<URLSearchParams | string> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded")
    return 'The body must be a form: "application/x-www-form-urlencoded".';
  const form = new URLSearchParams(await request.text());
  // By their number: to look each name up would take seconds for the many that fit into a body.
  const isRepeated = new Set(form.keys()).size < form.size;
  return isRepeated ? "A parameter must not be given twice." : form;
}

function toReply(signedIn: SignedIn): z.output<typeof TokenReply> {
  return {
    access_token: signedIn.accessToken,
    token_type: "bearer",
    expires_in: Math.floor(signedIn.expiresIn),
    refresh_token: signedIn.refreshToken,
    scope: signedIn.scope,
  };
}
