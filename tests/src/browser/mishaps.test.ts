/** What goes wrong for people on the pages, and where it leads them: somewhere sensible, with nothing lost. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { fill, nameField, openPage, press, signInAt } from "../support/open-page.ts";
import { bearer, signIn, signUp } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

await skipWithoutBrowser();

let browser: Browser & AsyncDisposable;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const alert = (page: Page) => page.getByRole("alert").first();
const hydrated = (page: Page) => page.locator("html[data-scripts=on]").waitFor();
const signInCalls = "**/pages/trpc/auth.cookie.login*";

/** Holds what is asked of an address back until it is let go. Returns how often it was asked. */
async function hold(context: BrowserContext, address: string) {
  const held = Promise.withResolvers<void>();
  let count = 0;
  await context.route(address, async (route) => {
    count += 1;
    await held.promise;
    await route.continue();
  });
  return { count: () => count, release: held.resolve };
}

describe("the way to the server", () => {
  it("that is cut is said to be so, and what was typed is sent when it is back", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await signUp(app);
    await using tab = await openPage(browser, app, "/sign-in");
    const { page, context } = tab;
    await hydrated(page);
    await context.setOffline(true);
    await fill(page, { [nameField]: "alice", Password: password });
    await press(page, "Sign in");
    await alert(page).getByText("You are offline.").waitFor();
    expect(await page.getByLabel("Password", { exact: true }).inputValue()).toBe(password);
    await context.setOffline(false);
    await Promise.all([page.waitForURL("**/account"), press(page, "Sign in")]);
  });

  it("that leads to nothing is not blamed on the password", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await using tab = await openPage(browser, app, "/sign-in");
    const { page, context } = tab;
    await hydrated(page);
    await context.route(signInCalls, (route) => route.abort("connectionrefused"));
    await fill(page, { [nameField]: "alice", Password: password });
    await press(page, "Sign in");
    await alert(page).getByText("The server did not answer. It is not about your password").waitFor();
  });

  it("that is slow is said to be so, step by step, and nothing is sent twice", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await signUp(app);
    await using tab = await openPage(browser, app, "/sign-in");
    const { page, context } = tab;
    await hydrated(page);
    await page.clock.install();
    const calls = await hold(context, signInCalls);
    await fill(page, { [nameField]: "alice", Password: password });
    await press(page, "Sign in");
    await page.clock.runFor(400);
    await page.getByText("One moment …").waitFor();
    await page.getByRole("button", { name: "Sign in", exact: true }).click({ force: true });
    await page.getByLabel("Password", { exact: true }).press("Enter");
    await page.clock.runFor(5_000);
    await page.getByText("It takes longer than usual.").waitFor();
    await page.clock.runFor(10_000);
    await page.getByText("There is still no answer.").waitFor();
    expect(calls.count()).toBe(1);
    calls.release();
    await page.waitForURL("**/account");
  });
});

it("who guessed too often sees how long to wait, and when it is over", { timeout: 60_000 }, async () => {
  await using app = await testApp({ limits: { loginsPerAccount: 1 } });
  await signUp(app);
  await using tab = await openPage(browser, app, "/sign-in");
  const { page } = tab;
  await hydrated(page);
  await page.clock.install();
  await fill(page, { [nameField]: "alice", Password: "wrong" });
  await press(page, "Sign in");
  await alert(page).getByText("The username or the password is wrong.").waitFor();
  await press(page, "Sign in");
  await alert(page).getByText("There were too many attempts.").waitFor();
  expect(await page.getByLabel(nameField).inputValue()).toBe("alice");
  await page.getByText("You can try again in 900 s.").waitFor();
  await page.clock.fastForward(600_000);
  await page.getByText(/You can try again in (29\d|300) s\./).waitFor();
  await page.getByText("Wait a moment before you try again.").waitFor();
  await page.clock.fastForward(301_000);
  await page.getByText("You can try again now.").waitFor();
});

describe("a page from before", () => {
  it("that is gone back to after the sign-out shows nothing of the account", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await signUp(app);
    await using tab = await openPage(browser, app, "/sign-in");
    const { page } = tab;
    await signInAt(page, "alice");
    await page.getByText("This device").waitFor();
    await press(page, "Sign out");
    await page.waitForURL("**/sign-in?**");
    await page.goBack();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.getByText("This device").count()).toBe(0);
  });

  it("of another tab follows a sign-out, and a sign-in as somebody else", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await signUp(app);
    await signUp(app, "bob");
    await using tab = await openPage(browser, app, "/sign-in");
    const { page, context } = tab;
    await signInAt(page, "alice");
    const other = await context.newPage();
    await other.goto("/account");
    await other.getByText("This device").waitFor();
    await press(page, "Sign out");
    await other.waitForURL("**/sign-in?**");
    await signInAt(other, "bob");
    await page.goto("/account");
    await page.getByRole("main").getByText("bob").waitFor();
  });

  it("whose password was changed elsewhere leads to the sign-in, and back", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await signUp(app);
    await using tab = await openPage(browser, app, "/sign-in?return_to=/account/security-log");
    const { page } = tab;
    await signInAt(page, "alice");
    await page.getByText("This is all there is.").waitFor();
    const elsewhere = await signIn(app);
    const newPassword = "an even better horse battery";
    await bearer(app, elsewhere).auth.changePassword.mutate({ currentPassword: password, newPassword });
    await page.getByRole("navigation").getByRole("link", { name: "Your account", exact: true }).click();
    await page.waitForURL(/\/sign-in\?return_to=/);
    await fill(page, { [nameField]: "alice", Password: newPassword });
    await Promise.all([page.waitForURL("**/account**"), press(page, "Sign in")]);
  });

  it("of a form that the server does not know any more is sent all the same", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await signUp(app);
    // Nothing of a form is kept on the server, so none expires: not even after a year, without scripts.
    await using tab = await openPage(browser, app, "/sign-in", { javaScriptEnabled: false });
    await app.clock.advance({ days: 365 });
    await signInAt(tab.page, "alice");
    expect(new URL(tab.page.url()).pathname).toBe("/account");
  });
});

it.each([
  "//evil.example",
  "/\\evil.example",
  "https://evil.example",
  "javascript:alert(1)",
  "/sign-in",
  "/%0d%0aSet-Cookie:x",
])("a way back to %s leads to the account", { timeout: 60_000 }, async (returnTo) => {
  await using app = await testApp();
  await signUp(app);
  for (const javaScriptEnabled of [true, false]) {
    const path = `/sign-in?${new URLSearchParams({ return_to: returnTo })}`;
    await using tab = await openPage(browser, app, path, { javaScriptEnabled });
    await signInAt(tab.page, "alice");
    const { origin, pathname } = new URL(tab.page.url());
    expect(origin).toBe(app.url);
    expect(["/account", "/%0d%0aSet-Cookie:x"]).toContain(pathname);
  }
});
