/**
 * Sign in, sign up and set up, as pages that a browser without scripts can use: what a form sends goes the same way as what
 * `auth.cookie.*` is called with, and differs in how the answer is told.
 */
import { AuthError, returnPath } from "@countersign/shared";
import { LoginInput, RegisterInput, SetUpInput } from "@countersign/shared/schemas";
import type { AuthPage } from "@countersign/web/render";
import { Hono } from "hono";
import type { Deps } from "../../deps.ts";
import { register } from "../../flows/accounts/register.ts";
import { isToBeSetUp, setUp } from "../../flows/accounts/set-up.ts";
import type { StartedSession } from "../../flows/sessions/issue-tokens.ts";
import { login } from "../../flows/sessions/login.ts";
import type { RequestAuth } from "../../trpc/context.ts";
import { signInByCookie } from "../../trpc/cookie-sessions.ts";
import type { RequestVariables } from "../every-request.ts";
import { logFailure } from "../log-failure.ts";
import { parseFields } from "../parse-fields.ts";
import { refusalHeaders } from "../refusal.ts";
import { type PageContext, type PageParts, pageAuth, pageHeaders } from "./page-request.ts";
import { readPreferences } from "./preferences.ts";

/** What the fields of each form are to its flow. */
const forms: Readonly<
  Record<AuthPage["name"], (deps: Deps, fields: Record<string, string>, auth: RequestAuth) => Promise<StartedSession>>
> = {
  "sign-in": (deps, fields, { caller }) =>
    login(deps, parseFields(LoginInput, given(fields, "username", "password")), caller),
  "sign-up": (deps, fields, { caller }) =>
    register(deps, parseFields(RegisterInput, given(fields, "username", "email", "password")), caller),
  setup: (deps, fields, { caller }) =>
    setUp(deps, parseFields(SetUpInput, given(fields, "code", "username", "email", "password")), caller),
  // Whoever is signed in, whatever the form says: to sign in as somebody else is what the sign-in is for.
  async reauth(deps, fields, { principal, caller }) {
    const username = (await principal())?.username;
    if (username === undefined) throw new AuthError("TOKEN_MISSING");
    return login(deps, parseFields(LoginInput, { username, password: fields.password }), caller);
  },
};

export function authPageRoutes(parts: PageParts): Hono<{ Variables: RequestVariables }> {
  const { start, log, brand, load } = parts;

  async function show(
    context: PageContext,
    name: AuthPage["name"],
    { fields = {}, failure = null }: { fields?: Record<string, string>; failure?: AuthError | null } = {},
  ): Promise<Response> {
    const [deps, pages] = await Promise.all([start(), load()]);
    const { language, scheme } = readPreferences(context, pages.languages);
    const { username = "", email = "", purpose = context.req.query("for") } = fields;
    const page: AuthPage = {
      name,
      language,
      scheme,
      brand,
      returnTo: returnPath(fields.return_to ?? context.req.query("return_to")),
      values: { username, email },
      failure: failure?.data ?? null,
      isRegistrationOpen: deps.settings.registration === "open" && deps.settings.authenticate === undefined,
      minPasswordLength: deps.settings.minPasswordLength,
      username: await signedInAs(pageAuth(context, parts, { deps })),
      purpose: pages.purposes.find((known) => known === purpose) ?? null,
    };
    return context.html(pages.renderAuthPage(page, pages.assetsOf("auth", language)), (failure?.status ?? 200) as 200, {
      ...pageHeaders,
      ...(failure !== null && refusalHeaders([failure])),
    });
  }

  async function submit(context: PageContext, name: AuthPage["name"]): Promise<Response> {
    const deps = await start();
    const fields = await readForm(context);
    const cookies: string[] = [];
    const auth = pageAuth(context, parts, { deps, setCookie: (line) => void cookies.push(line) });
    try {
      await signInByCookie(auth, () => forms[name](deps, fields, auth));
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      logFailure(log, error, { requestId: context.get("requestId") });
      return show(context, name, { fields, failure: error });
    }
    const reply = context.redirect(returnPath(fields.return_to), 303);
    for (const line of cookies) reply.headers.append("set-cookie", line);
    reply.headers.set("cache-control", "no-store");
    return reply;
  }

  const routes = new Hono<{ Variables: RequestVariables }>();
  for (const name of ["sign-in", "sign-up"] as const) {
    routes.get(`/${name}`, (context) => show(context, name)).post(`/${name}`, (context) => submit(context, name));
  }
  return routes
    .get("/setup", async (context) => {
      // Once there is an account there is no such page: who comes back to it wants to sign in.
      return (await isToBeSetUp(await start())) ? show(context, "setup") : context.redirect("/sign-in", 303);
    })
    .post("/setup", (context) => submit(context, "setup"))
    .get("/reauth", async (context) => {
      const username = await signedInAs(pageAuth(context, parts, { deps: await start() }));
      if (username !== null) return show(context, "reauth");
      const returnTo = returnPath(context.req.query("return_to"));
      return context.redirect(`/sign-in?${new URLSearchParams({ return_to: returnTo })}`, 303);
    })
    .post("/reauth", (context) => submit(context, "reauth"));
}

/** Who is signed in; `null` where the cookie says nothing that is still so: the page is for signing in. */
async function signedInAs(auth: RequestAuth): Promise<string | null> {
  try {
    return (await auth.principal())?.username ?? null;
  } catch (error) {
    if (error instanceof AuthError) return null;
    throw error;
  }
}

/** A form's fields, each once. */
async function readForm(context: PageContext): Promise<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(await context.req.text()));
}

/** The fields of these names. One that need not be given, and was left empty, was not. */
function given(fields: Record<string, string>, ...names: readonly string[]): Record<string, string | undefined> {
  const wanted = names.filter((name) => name !== "email" || fields.email !== "");
  return Object.fromEntries(wanted.map((name) => [name, fields[name]]));
}
