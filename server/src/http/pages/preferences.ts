/** How a browser is shown the pages: in which language, and in which colours. Kept in its own cookies, with or without a sign-in. */
import { returnPath } from "@countersign/shared";
import { type Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import Negotiator from "negotiator";
import type { RequestVariables } from "../every-request.ts";
import { type PageParts, pageAuth } from "./page-request.ts";

export interface Preferences<Language extends string> {
  readonly language: Language;
  /** `null` for what the system says. */
  readonly scheme: "light" | "dark" | null;
}

const cookies = { language: "countersign-language", scheme: "countersign-scheme" } as const;
const year = 31_536_000;

/** What was chosen, else what the browser asks for, else the first of the languages. */
export function readPreferences<Language extends string>(
  context: Context,
  languages: readonly [Language, ...Language[]],
): Preferences<Language> {
  const chosen = getCookie(context, cookies.language);
  const negotiator = new Negotiator({ headers: { "accept-language": context.req.header("accept-language") ?? "" } });
  const [asked] = negotiator.languages([...languages]);
  return {
    language: languages.find((name) => name === chosen) ?? languages.find((name) => name === asked) ?? languages[0],
    scheme: schemeIn(getCookie(context, cookies.scheme)),
  };
}

export function preferenceRoutes(parts: Pick<PageParts, "start" | "callerOf">): Hono<{ Variables: RequestVariables }> {
  return new Hono<{ Variables: RequestVariables }>().post("/preferences", async (context) => {
    const deps = await parts.start();
    // Another website must not choose for somebody what they see here.
    pageAuth(context, parts, { deps, setCookie: () => {} }).cookie.requireWritable();
    return choosePreferences(context);
  });
}

/** Keeps what a form of ours chose, and goes back to where it was. What it does not name stays as it is. */
async function choosePreferences(context: Context): Promise<Response> {
  const form = new URLSearchParams(await context.req.text());
  const options = { path: "/", httpOnly: true, sameSite: "Lax", maxAge: year } as const;
  const language = form.get("language");
  if (language !== null && /^[a-z]{2}(?:-[A-Za-z]{1,8})?$/.test(language)) {
    setCookie(context, cookies.language, language, options);
  }
  const scheme = form.get("scheme");
  if (scheme !== null) setCookie(context, cookies.scheme, schemeIn(scheme) ?? "", options);
  return context.redirect(backIn(form), 303);
}

/** A page of this server, also one that a person who signs in does not come back to. */
function backIn(form: URLSearchParams): string {
  const back = form.get("back") ?? "";
  const page = /^\/(?:sign-in|sign-up|setup|reauth)(?=$|\?)/.exec(back)?.[0];
  if (page === undefined) return returnPath(back);
  const returnTo = new URLSearchParams(back.slice(page.length)).get("return_to");
  return returnTo === null ? page : `${page}?${new URLSearchParams({ return_to: returnPath(returnTo) })}`;
}

function schemeIn(text: string | undefined): Preferences<never>["scheme"] {
  return text === "light" || text === "dark" ? text : null;
}
