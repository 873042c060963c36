/** Cookies that an attacker plants in a real browser: what they set for the server's host from a neighbour's, or from a network. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { openPage, signInAt } from "../support/open-page.ts";
import { signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import { type Websites, websites } from "./websites.ts";

await skipWithoutBrowser();

const own = "https://app.victim.test";

let browser: Browser & AsyncDisposable;
let app: TestApp;
let sites: Websites;
/** The attacker's own session, as its cookie has it. */
let session: string;
beforeAll(async () => {
  browser = await startBrowser();
  app = await testApp({ issuer: own });
  sites = await websites(app, own);
  await signUp(app, "alice");
  await signUp(app, "mallory");
  const login = await app.call("auth.cookie.login", { json: { username: "mallory", password } }, { origin: own });
  const [, value] = /^[^=]+=([^;]+)/.exec(login.headers.get("set-cookie") ?? "") ?? expect.fail("no cookie");
  session = value ?? "";
});
afterAll(async () => {
  await browser.close();
  await sites[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

/** Names that a browser, or whoever reads its header, could take for the name of the session cookie. */
const names = [
  "countersign",
  "__Host-countersign",
  "__host-countersign",
  "__HOST-countersign",
  "__Secure-countersign",
  " __Host-countersign",
  "\u2000__Host-countersign",
  "\u00a0__Host-countersign\u00a0",
  "countersign; __Host-countersign",
  // Without a name a cookie is sent as its value alone.
  "=__Host-countersign",
  "=countersign",
];
/** Longer ones are sent first. */
const paths = ["/", "/account", "/pages/trpc"];

/** Where an attacker's page can be whose cookies reach the server. */
const planters = {
  "a neighbour's page": "https://evil.victim.test",
  "a network that answers in the server's place": "http://app.victim.test",
};

/** Sets cookies as the scripts of a website do. */
async function set(context: BrowserContext, website: string, cookies: readonly string[]): Promise<void> {
  const page = await context.newPage();
  await page.goto(website);
  await page.evaluate((cookies) => {
    // biome-ignore lint/suspicious/noDocumentCookie: what an attacker's page would do
    for (const cookie of cookies) document.cookie = cookie;
    // To read them waits until they are set.
    return document.cookie;
  }, cookies);
  await page.close();
}

function plant(context: BrowserContext, from: string): Promise<void> {
  const attributes = ["", "; domain=victim.test"].flatMap((domain) => [domain, `${domain}; secure`]);
  const made = names.flatMap((name) => paths.flatMap((path) => `${name}=${session}; path=${path}`));
  return set(
    context,
    from,
    made.flatMap((cookie) => attributes.map((more) => cookie + more)),
  );
}

/** Opens the account's page, and expects the planted cookies to come along, those of the longest path first. */
async function openAccount(page: Page): Promise<void> {
  sites.exchanges.length = 0;
  await page.goto("/account");
  const sent = sites.exchanges.find(({ url }) => url.pathname === "/account")?.cookie ?? expect.fail("not asked for");
  expect(sent.split("; ").filter((cookie) => cookie === `countersign=${session}`).length).toBeGreaterThan(1);
  expect(sent.startsWith(`countersign=${session}; `)).toBe(true);
}

async function expectAccountOf(page: Page, username: string): Promise<void> {
  await page.getByText("This device").waitFor();
  await page.getByRole("main").getByText(username).waitFor();
  expect(await page.textContent("body")).not.toContain("mallory");
}

describe.each(Object.entries(planters))("what %s plants", (_, from) => {
  it("signs nobody in, and is in nobody's way who signs in then", { timeout: 60_000 }, async () => {
    await using tab = await openPage(browser, sites, "/sign-in", sites.context);
    await plant(tab.context, from);
    await openAccount(tab.page);
    expect(new URL(tab.page.url()).pathname).toBe("/sign-in");
    await signInAt(tab.page, "alice");
    await expectAccountOf(tab.page, "alice");
  });

  it("takes nobody's place who was signed in before", { timeout: 60_000 }, async () => {
    await using tab = await openPage(browser, sites, "/sign-in", sites.context);
    await signInAt(tab.page, "alice");
    await plant(tab.context, from);
    await openAccount(tab.page);
    await expectAccountOf(tab.page, "alice");
  });
});

it("a neighbour's cookies that leave no room for the real one sign its person out, and nobody in", {
  timeout: 60_000,
}, async () => {
  await using tab = await openPage(browser, sites, "/sign-in", sites.context);
  const isSignedIn = async () => (await tab.context.cookies(own)).some(({ httpOnly }) => httpOnly);
  await signInAt(tab.page, "alice");
  expect(await isSignedIn()).toBe(true);
  const neighbour = planters["a neighbour's page"];
  // A browser keeps so many for all hosts of a domain together; Chromium 180.
  const many = Array.from({ length: 400 }, (_, index) => `filler-${index}=x; secure`);
  await set(tab.context, neighbour, many);
  await expect.poll(isSignedIn).toBe(false);
  await plant(tab.context, neighbour);
  await openAccount(tab.page);
  expect(new URL(tab.page.url()).pathname).toBe("/sign-in");
});
