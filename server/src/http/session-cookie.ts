import type { Context } from "hono";
import type { Deps } from "../deps.ts";
import { createSessionCookie, type SessionCookie } from "../trpc/session-cookie.ts";

/** The session cookie of a request, and what it adds to the reply. */
export function sessionCookieOf(
  context: Context,
  { settings }: Deps,
  { origins, setCookie }: { origins: readonly string[]; setCookie: ((line: string) => void) | null },
): SessionCookie {
  const { method } = context.req;
  const header = (name: string) => context.req.header(name) ?? null;
  return createSessionCookie({ method, header }, { settings, origins, setCookie });
}
