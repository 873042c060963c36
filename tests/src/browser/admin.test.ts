/** The console, as an administrator uses it. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { fill, openPage, press, signInAt } from "../support/open-page.ts";
import { administrator, signIn, signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

await skipWithoutBrowser();

let browser: Browser & AsyncDisposable;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const go = (page: Page, name: string) => page.getByRole("navigation").getByRole("link", { name, exact: true }).click();

async function asChief(app: TestApp, path: string) {
  await (await administrator(app)).create({ username: "chief", password, roles: ["admin"] });
  const tab = await openPage(browser, app, `/sign-in?${new URLSearchParams({ return_to: path })}`);
  await signInAt(tab.page, "chief");
  return tab;
}

/** Confirms what a dialog says. */
async function confirm(page: Page, act: string): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.locator('button[aria-disabled="false"]', { hasText: act }).click();
  await dialog.waitFor({ state: "detached" });
}

it("an account is made, gets a temporary password, signs in with it, is signed out, and disabled", {
  timeout: 90_000,
}, async () => {
  await using app = await testApp();
  await using tab = await asChief(app, "/admin/accounts");
  const { page } = tab;
  await page.getByRole("link", { name: "Make an account" }).click();
  await fill(page, { Username: "mo", "E-mail address (may be left out)": "mo@example.com" });
  await page.getByLabel("moderator").check();
  await press(page, "Make the account");
  await page.getByRole("heading", { name: "mo", exact: true }).waitFor();
  await press(page, "Temporary password for mo");
  await confirm(page, "Temporary password");
  const temporary = (await page.locator("code").textContent()) ?? "";

  await using phone = await openPage(browser, app, "/sign-in");
  await signInAt(phone.page, "mo", temporary);
  await phone.page.getByText("moderator").waitFor();
  await page.reload();
  await page.getByRole("listitem").filter({ hasText: "Chrome on" }).waitFor();
  await press(page, "Sign out mo everywhere");
  await confirm(page, "Sign out");
  await page.getByText("Nowhere.").waitFor();
  await phone.page.waitForURL("**/sign-in?**");

  await press(page, "Disable mo");
  await confirm(page, "Disable");
  await page.getByRole("button", { name: "Enable mo" }).waitFor();
  await fill(phone.page, { "Username or e-mail address": "mo", Password: temporary });
  await press(phone.page, "Sign in");
  await phone.page.getByText("This account is disabled.").waitFor();

  await page.getByRole("link", { name: "What happened to this account" }).click();
  for (const what of ["The account was disabled", "A temporary password was made by an administrator"]) {
    const row = page.getByRole("row").filter({ hasText: what });
    await row.getByRole("link", { name: "chief" }).waitFor();
  }
  expect(tab.complaints).toEqual([]);
});

it("accounts are found, and turned over page by page, with the place in the address", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  const { db, now } = await app.auth.start();
  const people = Array.from({ length: 120 }, (_, index) => `person-${String(index).padStart(3, "0")}`);
  const rows = people.map((username) => ({
    id: crypto.randomUUID() as never,
    username,
    username_key: username,
    roles: "[]",
    version: 1,
    created_at: now(),
    updated_at: now(),
  }));
  await db.insertInto("accounts").values(rows).execute();
  await using tab = await asChief(app, "/admin/accounts?search=person");
  const { page } = tab;
  const first = page.getByRole("row").nth(1);
  await first.getByText("person-000").waitFor();
  await page.getByRole("link", { name: "Next page" }).click();
  await first.getByText("person-050").waitFor();
  await page.reload();
  await first.getByText("person-050").waitFor();
  await page.goBack();
  await first.getByText("person-000").waitFor();
  await page.getByRole("searchbox").fill("person-11");
  await press(page, "Search");
  await first.getByText("person-110").waitFor();
  expect(new URL(page.url()).searchParams.get("search")).toBe("person-11");
  expect(await page.getByRole("row").count()).toBe(11);
  await page.getByRole("searchbox").fill("nobody");
  await press(page, "Search");
  await page.getByText("There is no such account.").waitFor();
  expect(tab.complaints).toEqual([]);
});

it("what nobody has is refused on the page: the last administrator stays one", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await using tab = await asChief(app, "/admin/accounts");
  const { page } = tab;
  const root = (await (await administrator(app)).list({ search: "root" })).accounts[0];
  await page.goto(`/admin/accounts/${root?.id}`);
  await press(page, "Delete root");
  await confirm(page, "Delete");
  await page.getByRole("link", { name: "chief" }).click();
  await page.getByText("This is your own account").waitFor();
  await page.getByLabel("admin", { exact: true }).uncheck();
  await press(page, "Save the roles of chief");
  await page.getByText("This is the last account that administers this server.").waitFor();
});

it("events are filtered by what and when, and drawn", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await signUp(app);
  await signIn(app);
  await using tab = await asChief(app, "/admin/events");
  const { page } = tab;
  await page.getByRole("img", { name: /^Sign-ins: \d/ }).waitFor();
  await page.getByLabel("What").selectOption({ label: "Signed up" });
  await press(page, "Show");
  const rows = page.getByRole("table", { name: "The newest first" }).getByRole("row");
  await expect.poll(() => rows.count()).toBe(2);
  expect(new URL(page.url()).searchParams.get("kind")).toBe("account_registered");
  await page.getByLabel("Up to this day").fill("2020-01-01");
  await press(page, "Show");
  await expect.poll(() => rows.count()).toBe(1);
  expect(tab.complaints).toEqual([]);
});

it("a key is made after the password was confirmed", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await using tab = await asChief(app, "/admin/keys");
  const { page } = tab;
  await page.getByText("Signs now").waitFor();
  await app.clock.advance({ minutes: 6 });
  await press(page, "Make the next key");
  await page.getByRole("dialog").locator('button[aria-disabled="false"]', { hasText: "Make the next key" }).click();
  await page.waitForURL("**/reauth?**");
  await fill(page, { Password: password });
  await Promise.all([page.waitForURL("**/admin/keys"), press(page, "Confirm")]);
  await press(page, "Make the next key");
  await confirm(page, "Make the next key");
  await page.getByText("Comes next").waitFor();
  await go(page, "Health");
  await page.getByText("a write takes").waitFor();
});

it("who may not is told who they are, and asks for nothing", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await signUp(app);
  await using tab = await openPage(browser, app, "/sign-in?return_to=/admin/accounts");
  await signInAt(tab.page, "alice");
  await tab.page.getByRole("heading", { name: "This is for administrators" }).waitFor();
  expect(await tab.page.getByRole("main").textContent()).toContain("alice");
  const reply = await tab.page.goto("/developer");
  expect(reply?.status()).toBe(403);
});

it("the page for developers has what works as it stands", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await using tab = await asChief(app, "/developer");
  const { page } = tab;
  await page.getByRole("heading", { name: "How to begin" }).waitFor();
  const curl = await page.getByRole("region", { name: "By curl" }).locator("code").textContent();
  expect(curl).toContain(`${app.url}/token`);
  expect(await page.getByRole("row").filter({ hasText: "moderate" }).textContent()).toContain("notes:moderate");
  const { accessToken } = await signIn(app, "chief");
  // The server of a test has its own time.
  await page.clock.setFixedTime(app.clock.now());
  await page.getByLabel("Put an access token of yours here").fill(accessToken);
  await page.getByText(/It is good for \d+ s more\./).waitFor();
  await page.getByText('"preferred_username": "chief"').waitFor();
  await page.getByLabel("Put an access token of yours here").fill("nonsense");
  await page.getByText("This is no access token.").waitFor();
  expect(tab.complaints).toEqual([]);
});
