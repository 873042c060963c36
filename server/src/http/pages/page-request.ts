/** What every page asks of its request. */
import type { Appearance } from "@countersign/web/render";
import type { Context } from "hono";
import type { Caller, Deps, Log } from "../../deps.ts";
import { makeContext, type RequestAuth } from "../../trpc/context.ts";
import type { RequestVariables } from "../every-request.ts";
import { sessionCookieOf } from "../session-cookie.ts";
import type { BuiltPages } from "./assets.ts";

export type PageContext = Context<{ Variables: RequestVariables }>;

/** What the routes of pages are made of. */
export interface PageParts {
  readonly start: () => Promise<Deps>;
  readonly callerOf: (context: Context) => Caller;
  readonly log: Log;
  readonly brand: Appearance["brand"];
  readonly load: () => Promise<BuiltPages>;
}

/** The sign-in of whoever asks for a page: their cookie's, as a browser sends nothing else with an address. */
export function pageAuth(
  context: PageContext,
  { callerOf }: Pick<PageParts, "callerOf">,
  { deps, setCookie = null }: { readonly deps: Deps; readonly setCookie?: ((line: string) => void) | null },
): RequestAuth {
  const cookie = sessionCookieOf(context, deps, { origins: [], setCookie });
  return makeContext(deps, { authorization: null, cookie }, callerOf(context)).auth;
}

/** What the scripts of pages may do: nothing that makes HTML or scripts of a text, and nothing of elsewhere. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** The headers of a page, which is one person's, in one language. */
export const pageHeaders = {
  "content-security-policy": contentSecurityPolicy,
  "cache-control": "no-store",
  vary: "Cookie, Accept-Language",
} as const;
