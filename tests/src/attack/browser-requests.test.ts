/**
 * What other websites' pages have a real browser send: to change something for whoever is signed in, to sign them out, or to
 * sign them in as the attacker. Each way that a browser asks no permission for is tried on what changes anything.
 */
import { createApp } from "@countersign/server";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { isLong } from "../support/long-tests.ts";
import { signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import type { Attempt, Way } from "./attempts.ts";
import { foreignPages, makeAll, open } from "./foreign-pages.ts";
import { type Websites, websites } from "./websites.ts";

await skipWithoutBrowser();

let browser: Browser & AsyncDisposable;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const mallory = { username: "mallory", password };

/** What would do something, did a page of the server's own send it: the fields of a form, or what a procedure is called with. */
const targets: Readonly<Record<string, Record<string, string>>> = {
  "/sign-in": mallory,
  "/sign-up": { username: "eve", password },
  "/reauth": { password },
  "/preferences": { language: "de" },
  "/trpc/write": { text: "written by another website" },
  "/trpc/auth.logout": {},
  "/trpc/auth.cookie.login": mallory,
  "/pages/trpc/auth.logout": {},
  "/pages/trpc/auth.cookie.login": mallory,
  "/pages/trpc/account.update": { email: "eve@evil.test" },
};
const isForm = (path: string) => !path.includes("/trpc/");
const isApplications = (path: string) => path.startsWith("/trpc/");
const forms = Object.keys(targets).filter(isForm);
/** As the server's own pages send it. */
const honestWay = (path: string): Way => (isForm(path) ? "form" : "fetch of JSON");

/** They open a window each. */
const opening: readonly Way[] = ["form", "form of text", "form of files", "link"];
const sending: readonly Way[] = [
  "beacon",
  "beacon of text",
  "fetch",
  "fetch of text",
  "fetch of JSON",
  "fetch to read",
];
const asking: readonly Way[] = ["link", "image", "prefetch", "stream", "fetch without a body"];

/** Says in its address which of them it is. */
function attempt(own: string, path: string, way: Way, fields = targets[path] ?? {}): Attempt {
  const json = JSON.stringify({ json: fields });
  const url = new URL(`${own}${path}?${new URLSearchParams({ way })}`);
  const inQuery = isForm(path) ? fields : { input: json };
  if (asking.includes(way)) for (const [name, value] of Object.entries(inQuery)) url.searchParams.set(name, value);
  return { way, url: url.href, body: isForm(path) ? `${new URLSearchParams(fields)}` : json };
}

function attempts(own: string): Attempt[] {
  const ways = [...new Set([...opening, ...sending, ...asking])];
  if (isLong) return Object.keys(targets).flatMap((path) => ways.map((way) => attempt(own, path, way)));
  const ofEachKind = ["/sign-in", "/trpc/auth.logout", "/pages/trpc/auth.cookie.login"];
  const quick = ways.filter((way) => !opening.includes(way));
  return [
    ...forms.map((path) => attempt(own, path, "form")),
    ...ofEachKind.flatMap((path) => quick.map((way) => attempt(own, path, way))),
  ];
}

async function served(own: string, origins: readonly string[] = []) {
  const app = await testApp({ issuer: own }, { app: { origins } });
  const sites = await websites(app, own);
  return {
    app,
    sites,
    async [Symbol.asyncDispose]() {
      await sites[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    },
  };
}

/** A page of the server's own, and the value of the cookie that signs alice in on it. */
async function signedIn(context: BrowserContext, { url }: Websites) {
  const page = await open(context, `${url}/healthz`);
  await signInFrom(page);
  const { value } = (await context.cookies(url)).find(({ httpOnly }) => httpOnly) ?? expect.fail("no cookie");
  return { page, session: value };
}

async function signInFrom(page: Page): Promise<void> {
  const status = await page.evaluate(
    async (body) => {
      const headers = { "content-type": "application/json" };
      return (await fetch("/pages/trpc/auth.cookie.login", { method: "POST", body, headers })).status;
    },
    JSON.stringify({ json: { username: "alice", password } }),
  );
  expect(status).toBe(200);
}

/** All that could have changed: what the server keeps, and what the browser does. */
async function stateOf(app: TestApp, context: BrowserContext): Promise<object> {
  const { db } = await app.auth.start();
  const tables = ["accounts", "sessions", "audit_events"] as const;
  const rows = await Promise.all(tables.map((table) => db.selectFrom(table).selectAll().orderBy("id").execute()));
  return { rows, cookies: await context.cookies() };
}

const secure = "https://app.victim.test";
// Browsers say nothing in `Sec-Fetch-Site` to a server without https: it is `Origin` that tells.
const plain = "http://app.victim.test";

const inShort: readonly string[] = ["another site", "a neighbour of its host", "a frame in a sandbox"];
const tried = [secure, plain]
  .flatMap((own) => Object.entries(foreignPages).map(([what, foreign]) => ({ own, what, foreign })))
  .filter(({ own, what }) => isLong || (own === secure ? inShort.includes(what) : what === "a neighbour of its host"));

describe("a server", () => {
  const friend = "https://friend.victim.test";
  const servers = new Map<string, Awaited<ReturnType<typeof served>>>();
  const serverAt = (own: string) => servers.get(own) ?? expect.fail(own);
  beforeAll(async () => {
    for (const own of [secure, plain]) {
      const server = await served(own, [friend]);
      servers.set(own, server);
      for (const name of ["alice", "mallory"]) await signUp(server.app, name);
    }
  });
  afterAll(async () => {
    for (const server of servers.values()) await server[Symbol.asyncDispose]();
  });

  it.each(tried)("at $own does nothing for $what", { timeout: 120_000 }, async ({ own, foreign }) => {
    const { app, sites } = serverAt(own);
    await using context = await browser.newContext(sites.context);
    const { session } = await signedIn(context, sites);
    const before = await stateOf(app, context);
    const place = await foreign.open(context, new URL(own).protocol);
    const { read, answers } = await makeAll(place, attempts(own), sites);
    expect(read).toEqual([]);
    for (const { method, url, cookie, status, setCookie } of answers) {
      const what = `${url.searchParams.get("way")} ${url.pathname}`;
      expect(setCookie, what).toEqual([]);
      if (method === "OPTIONS") expect(status, what).toBeGreaterThanOrEqual(400);
      if (method !== "POST") continue;
      // What is no JSON is refused before it is asked where it is from.
      expect(status, what).toBe(isApplications(url.pathname) ? 415 : 403);
      expect(cookie.includes(session), what).toBe(foreign.isSameSite);
    }
    expect(await stateOf(app, context)).toEqual(before);
  });

  it("keeps the pages' forms and procedures from an origin that may call the application's", {
    timeout: 60_000,
  }, async () => {
    const { app, sites } = serverAt(secure);
    await using context = await browser.newContext(sites.context);
    await signedIn(context, sites);
    const before = await stateOf(app, context);
    const paths = Object.keys(targets).filter((path) => path === "/trpc/write" || !isApplications(path));
    const made = paths.map((path) => attempt(secure, path, honestWay(path)));
    const { answers } = await makeAll(await open(context, friend), made, sites);
    const posts = answers.filter(({ method }) => method === "POST");
    expect(posts).toHaveLength(paths.length);
    for (const { url, status } of posts) expect(status, url.pathname).toBe(isApplications(url.pathname) ? 200 : 403);
    expect(await stateOf(app, context)).toEqual(before);
  });

  it.each(isLong ? [secure, plain] : [secure])(
    "at %s does all of it for a page of its own",
    {
      timeout: 60_000,
    },
    async (own) => {
      const { sites } = serverAt(own);
      await using context = await browser.newContext(sites.context);
      const { page } = await signedIn(context, sites);
      for (const path of Object.keys(targets)) {
        await signInFrom(page);
        const { answers } = await makeAll(page, [attempt(own, path, honestWay(path))], sites);
        expect(answers[0]?.status, path).toBe(isForm(path) ? 303 : 200);
        if (isForm(path)) expect(answers[0]?.setCookie, path).toHaveLength(1);
      }
    },
  );

  it("gives nobody a cookie for a form to /token, and other websites' pages nothing that they could read", {
    timeout: 60_000,
  }, async () => {
    const { sites } = serverAt(secure);
    await using context = await browser.newContext(sites.context);
    await signedIn(context, sites);
    const before = await context.cookies();
    for (const name of ["another site", "a neighbour of its host"] as const) {
      const made = (["form", "fetch", "fetch to read"] as const).map((way) => attempt(secure, "/token", way, mallory));
      const { read, answers } = await makeAll(await foreignPages[name].open(context, "https:"), made, sites);
      expect(read).toEqual([]);
      for (const { status, setCookie } of answers) expect([status, setCookie]).toEqual([200, []]);
    }
    expect(await context.cookies()).toEqual(before);
  });

  it("has no form but those that are tried here", () => {
    const routes = createApp(serverAt(secure).app.auth).routes.filter(({ method }) => method === "POST");
    expect(routes.map(({ path }) => path).sort()).toEqual([...forms, "/setup", "/token"].sort());
  });
});

it("a server is set up by no other website, not even with the code", { timeout: 60_000 }, async () => {
  await using server = await served(secure);
  const { app, sites } = server;
  await using context = await browser.newContext(sites.context);
  const code = { ...mallory, code: (await app.auth.start()).setupCode };
  const before = await stateOf(app, context);
  for (const [what, { open: openForeign }] of Object.entries(foreignPages)) {
    if (!isLong && !inShort.includes(what)) continue;
    const made = (["form", "beacon", "fetch of text"] as const).map((way) => attempt(secure, "/setup", way, code));
    const { answers } = await makeAll(await openForeign(context, "https:"), made, sites);
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
  }
  expect(await stateOf(app, context)).toEqual(before);
  const own = await open(context, `${secure}/healthz`);
  const { answers } = await makeAll(own, [attempt(secure, "/setup", "form", code)], sites);
  expect(answers[0]?.status).toBe(303);
});
