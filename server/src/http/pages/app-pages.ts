/** The pages behind the sign-in: one document, which says who asked for it, and whose script shows the rest. */
import { returnPath } from "@countersign/shared";
import { Hono } from "hono";
import { currentSession } from "../../flows/sessions/current-session.ts";
import { adminRole } from "../../options.ts";
import type { RequestVariables } from "../every-request.ts";
import { type PageContext, type PageParts, pageAuth, pageHeaders } from "./page-request.ts";
import { readPreferences } from "./preferences.ts";

export function appPageRoutes(parts: PageParts): Hono<{ Variables: RequestVariables }> {
  const { start, brand, load } = parts;

  async function show(context: PageContext): Promise<Response> {
    const [deps, pages] = await Promise.all([start(), load()]);
    const auth = pageAuth(context, parts, { deps });
    const session = await currentSession(deps, auth.principal, true);
    if (session === null) return context.redirect(signInPath(context), 303);
    const { language, scheme } = readPreferences(context, pages.languages);
    const times = { authTime: session.authTime.toISOString(), expiresAt: session.expiresAt.toISOString() };
    const { minPasswordLength, roles } = deps.settings;
    const page = {
      language,
      scheme,
      brand,
      session: { ...session, ...times },
      minPasswordLength,
      roles: [adminRole, ...Object.keys(roles)],
    };
    // Whoever may not see it is told so on the page, and everything else by the status.
    const isMissing = isForAdministrators(context) && !session.user.roles.includes(adminRole);
    return context.html(pages.renderAppPage(page, pages.assetsOf("app", language)), isMissing ? 403 : 200, pageHeaders);
  }

  return new Hono<{ Variables: RequestVariables }>()
    .get("/account", show)
    .get("/account/*", show)
    .get("/admin", show)
    .get("/admin/*", show)
    .get("/developer", show)
    .get("/.well-known/change-password", (context) => context.redirect("/account/password", 302));
}

function isForAdministrators({ req }: PageContext): boolean {
  return /^\/(?:admin|developer)(?:\/|$)/.test(req.path);
}

/** The sign-in, which leads back to here. */
function signInPath({ req }: PageContext): string {
  const { pathname, search } = new URL(req.url);
  return `/sign-in?${new URLSearchParams({ return_to: returnPath(pathname + search) })}`;
}
