/**
 * Markup in everything that pages show, in a real browser: it is text. That the policy of the pages stops what gets into them is not
 * enough: nothing gets in.
 */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { failingDatabase } from "../support/failing-database.ts";
import { isLong } from "../support/long-tests.ts";
import { openPage, signInAt } from "../support/open-page.ts";
import { signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

await skipWithoutBrowser();

/** Each leaves something "owned" behind where it is taken for more than text. */
const payloads = {
  "the end of a script": "</script><script>owned=1</script><x-owned>",
  "an element": '"><img src=x onerror=owned=1><x-owned>',
  "an attribute": '" onmouseover="owned=1" data-owned="',
  "an attribute in single quotes": "' onmouseover='owned=1' data-owned='",
  "an attribute without quotes": "x data-owned=1 onmouseover=owned=1",
  "the end of what holds text": "--></title></textarea></style></noscript><x-owned>",
  "an address": "javascript:owned=1//",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is none.
  "a template": '{{constructor.constructor("owned=1")()}} ${owned=1} <%=owned=1%> #{owned=1} {username} {0}',
  "markup that was escaped before": "&lt;x-owned&gt; &#60;img src=x onerror=owned=1&#62; &quot; data-owned=&quot;",
};
const each = Object.values(payloads);
const everything = each.join(" ");
/** What browsers say that they are, and where from: as texts that are in no name. */
const devices = each.map((payload) => `device:${payload}`);
const addresses = each.map((payload) => `${payload} there`);

/** What of a page was made by a payload. Runs in the page. */
function injected(): string[] {
  const links = /^(?:href|src|action|formaction)$/;
  const isInjected = (element: Element) =>
    element.localName === "x-owned" ||
    (element.localName === "script" && !element.hasAttribute("src")) ||
    [...element.attributes].some(
      ({ name, value }) => /^on|owned/.test(name) || (links.test(name) && /^\s*javascript:/i.test(value)),
    );
  const elements = [...document.querySelectorAll("*")].filter(isInjected);
  return [...elements.map(({ outerHTML }) => outerHTML.slice(0, 200)), ...("owned" in window ? ["a script ran"] : [])];
}

/** All that a page shows, as text, without what is around every page. Runs in the page. */
function shown(): string {
  const main = document.querySelector("main") ?? document.body;
  const fields = [...main.querySelectorAll("input")].map(({ value }) => value);
  return [document.title, main.textContent, ...fields].join("\n");
}

/** Opens pages, and looks at them. */
function inspector(page: Page, violations: readonly string[]) {
  /** Waits until all of the texts are there, and expects them to be no more than that. */
  async function expectText(what: string, texts: readonly string[]): Promise<void> {
    const missing = async () => {
      const text = await page.evaluate(shown);
      return texts.filter((each) => !text.includes(each));
    };
    await expect.poll(missing, { message: what, timeout: 15_000 }).toEqual([]);
    expect(await page.evaluate(injected), what).toEqual([]);
    expect(violations, what).toEqual([]);
  }

  return {
    page,
    expectText,
    async open(path: string, texts: readonly string[]): Promise<void> {
      await page.goto(path, { waitUntil: "commit" });
      await expectText(path, texts);
    },
  };
}

/** Keeps what the pages' policy refused. */
async function violationsIn(context: BrowserContext): Promise<string[]> {
  const violations: string[] = [];
  await context.exposeFunction("tellViolation", (what: string) => violations.push(what));
  await context.addInitScript(() => {
    const tell = Reflect.get(window, "tellViolation");
    addEventListener(
      "securitypolicyviolation",
      (event) => tell(`${event.violatedDirective} ${event.blockedURI}`),
      true,
    );
  });
  return violations;
}

/** A person whose names are this text, with every device, and everything in the log: an application's people may be called anything. */
async function signUpAs(app: TestApp, text: string, roles: readonly string[]) {
  const signInName = `person-${crypto.randomUUID().slice(0, 8)}`;
  const { user } = await signUp(app, signInName);
  for (const userAgent of devices) {
    const json = { username: signInName, password };
    expect((await app.call("auth.login", { json }, { "user-agent": userAgent })).status).toBe(200);
  }
  const { db, now } = await app.auth.start();
  const names = { username: text, email: text, email_key: signInName, roles: JSON.stringify(roles) };
  await db.updateTable("accounts").set(names).where("id", "=", user.id).execute();
  const events = addresses.map((address) => ({
    id: crypto.randomUUID(),
    at: now(),
    account_id: user.id,
    ...{ kind: address, address, user_agent: address, details: JSON.stringify({ reason: address }) },
  }));
  await db.insertInto("audit_events").values(events).execute();
  return { id: user.id, signInName };
}

type Pages = readonly (readonly [path: string, texts: readonly string[]])[];

/** The pages that an administrator comes to whose names are `text`, and what they show. */
function pagesOf(id: string, text: string): Pages {
  const inAddress = encodeURIComponent(text);
  return [
    ["/account", [text, ...devices]],
    ["/account/profile", [text]],
    ["/account/security-log", [...devices, ...addresses]],
    [`/account/${inAddress}`, ["There is no such page"]],
    ["/admin/accounts", [text]],
    [`/admin/accounts?search=${encodeURIComponent(text.slice(0, 254))}`, ["There is no such account."]],
    [`/admin/accounts/${id}`, [text, ...devices]],
    [`/admin/accounts/${inAddress}`, ["Back to all accounts"]],
    [`/admin/events?account=${id}`, [text, ...devices, ...addresses]],
    [`/admin/events?account=${inAddress}&kind=${inAddress}&before=${inAddress}`, ["Of all accounts"]],
    ["/developer", [JSON.stringify(text), "Who may call what"]],
    ["/docs?url=https://evil.test/api.json&configUrl=https://evil.test/config.json", ["/users/me"]],
    [`/trpc/${inAddress}`, ["NOT_FOUND"]],
    [`/nothing/${inAddress}?${inAddress}`, ["There is nothing here."]],
  ];
}

/** The same of those that the server renders. */
function renderedPagesOf(text: string): Pages {
  const backs = [payloads["an address"], text, `/account?x=${text}`, `/account#${text}`];
  const ways = backs.map((back) => ({ return_to: back, for: text }));
  return [
    ["/reauth", [`You are signed in as ${text}.`]],
    ...ways.map((way) => [`/sign-in?${new URLSearchParams(way)}`, [`Continue as ${text}`]] as const),
  ];
}

/** Sends a form as a browser without scripts does. */
async function submit(page: Page, path: string, fields: Readonly<Record<string, string>>): Promise<void> {
  await page.goto(path);
  for (const [name, value] of Object.entries(fields)) await page.locator(`main [name=${name}]`).fill(value);
  const sent = page.waitForEvent("domcontentloaded");
  await page.locator("main form").evaluate((form) => form instanceof HTMLFormElement && form.submit());
  await sent;
}

const texts = Object.entries({ ...(isLong && payloads), "all of it at once": everything });

// Without the policy, what got in would run.
describe.each(isLong ? ["with", "without"] : ["with"])("%s the policy of the pages", (policy) => {
  const bypassCSP = policy === "without";
  let browser: Browser & AsyncDisposable;
  let app: TestApp;
  let store: ReturnType<typeof failingDatabase>;
  beforeAll(async () => {
    browser = await startBrowser();
    store = failingDatabase();
    app = await testApp({}, { database: store.database });
  });
  afterAll(async () => {
    await browser.close();
    await app[Symbol.asyncDispose]();
  });

  /** A page, and one whose scripts are switched off, on which the same person is signed in. */
  async function openBoth(signInName: string | null) {
    let violations: readonly string[] = [];
    const prepare = async (context: BrowserContext) => {
      violations = await violationsIn(context);
    };
    const scripted = await openPage(browser, app, "/sign-in", { bypassCSP, prepare });
    if (signInName !== null) await signInAt(scripted.page, signInName);
    const storageState = await scripted.context.storageState();
    const unscripted = await openPage(browser, app, "/sign-in", { storageState, javaScriptEnabled: false });
    return {
      complaints: scripted.complaints,
      pages: [inspector(scripted.page, violations), inspector(unscripted.page, [])] as const,
      async [Symbol.asyncDispose]() {
        await scripted[Symbol.asyncDispose]();
        await unscripted[Symbol.asyncDispose]();
      },
    };
  }

  it.each(texts)("%s is text on every page", { timeout: 120_000 }, async (_, text) => {
    const { id, signInName } = await signUpAs(app, text, ["admin", text]);
    await using tabs = await openBoth(signInName);
    for (const [path, shown] of pagesOf(id, text)) await tabs.pages[0].open(path, shown);
    for (const page of tabs.pages) for (const [path, shown] of renderedPagesOf(text)) await page.open(path, shown);
    expect(tabs.complaints.filter((complaint) => complaint.startsWith("request"))).toEqual([]);
  });

  it.each(texts)("%s is text where it was typed into a form", { timeout: 120_000 }, async (_, text) => {
    await using tabs = await openBoth(null);
    for (const { page, expectText } of tabs.pages) {
      await submit(page, "/sign-in", { username: text, password });
      await expectText("/sign-in", [text, "Error: "]);
      await submit(page, "/sign-up", { username: text, email: text, password });
      await expectText("/sign-up", [text, "Error: "]);
    }
  });

  it.each(texts)(
    "%s is text where an administrator acts on who is called so, and to them",
    {
      timeout: 120_000,
    },
    async (_, text) => {
      const person = await signUpAs(app, text, []);
      const administrator = await signUpAs(app, "root", ["admin"]);
      await using theirs = await openBoth(person.signInName);
      await theirs.pages[0].open("/admin", [`You are signed in as ${text}, who`]);
      await using tabs = await openBoth(administrator.signInName);
      const { page, open, expectText } = tabs.pages[0];
      await open(`/admin/accounts/${person.id}`, [text]);
      await page.getByRole("button", { name: `Temporary password for ${text}`, exact: true }).click();
      await expectText("the question", [`A temporary password for ${text}?`]);
      await page.locator('dialog button[aria-disabled="false"]', { hasText: "Temporary password" }).click();
      await expectText("the answer", [`Tell ${text} this password. It is shown only now`]);
    },
  );

  it("an address is text on the page that says that there is none", { timeout: 60_000 }, async () => {
    await signUp(app);
    await using tabs = await openBoth("alice");
    // What stands behind a `#` is not sent.
    const raw = everything.replaceAll("#", "%23");
    store.fails = /from "sessions"/;
    for (const { open } of tabs.pages) await open(`/account/${raw}?${raw}`, ["Try again"]);
    store.fails = null;
  });
});
