/** What axe finds, and whether anything is cut off, in each state of the pages, as they are shown to different people. */
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { fill, nameField, openPage, press, signInAt } from "../support/open-page.ts";
import { administrator, signIn, signUp } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

await skipWithoutBrowser();

let browser: Browser & AsyncDisposable;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

/** What is wrong with what is shown: what axe finds, and whether it has to be scrolled sideways. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const faults = await page.evaluate<string[]>(`axe.run().then(({ violations }) => violations.map(
    ({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" "),
  ))`);
  const isCut = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth");
  return isCut ? [...faults, "it is wider than the window"] : faults;
}

const shown = [
  { colorScheme: "light", width: 1280 },
  { colorScheme: "dark", width: 1280 },
  { colorScheme: "light", width: 320 },
  { colorScheme: "dark", width: 320 },
] as const;

/** The pages of administrators, each with what shows that it is there. */
const consolePages = {
  "/admin/accounts": "By username",
  "/admin/accounts?search=nobody": "There is no such account.",
  "/admin/accounts/new": "On the page of the account",
  "/admin/events": "This is all there is.",
  "/admin/keys": "Signs now",
  "/admin/health": "a write takes",
  "/developer": "Who may call what",
} as const;

describe.each(shown)("in $colorScheme, $width wide", ({ colorScheme, width }) => {
  it.each(["ltr", "rtl"])("nothing is wrong with any state: %s", { timeout: 120_000 }, async (direction) => {
    await using app = await testApp();
    await using tab = await openPage(browser, app, "/setup", { colorScheme, viewport: { width, height: 800 } });
    const { page, context } = tab;
    // No language of ours is written from the right yet; the pages are ready for one.
    await context.addInitScript(
      `addEventListener("DOMContentLoaded", () => { document.documentElement.dir = "${direction}"; })`,
    );
    await page.reload();
    const found: Record<string, string[]> = {};
    const look = async (state: string) => {
      const faults = await faultsOf(page);
      if (faults.length > 0) found[state] = faults;
    };
    await look("set up");
    await signUp(app);
    await page.goto("/sign-up");
    await look("sign up");
    await fill(page, { Username: "b o b", Password: "correct horse battery staple" });
    await press(page, "Sign up");
    await page.getByText("Use 2 to 64 letters and digits").waitFor();
    await look("sign up, refused");
    await page.goto("/sign-in");
    await look("sign in");
    await fill(page, { [nameField]: "alice", Password: "not the password" });
    await press(page, "Show password");
    await press(page, "Sign in");
    await page.getByText("The username or the password is wrong.").waitFor();
    await look("sign in, refused");
    await fill(page, { Password: password });
    await press(page, "Sign in");
    await page.getByText("This device").waitFor();
    await look("account");
    await page.goto("/sign-in");
    await page.getByText("You are signed in already.").waitFor();
    await look("sign in, signed in");
    await page.goto("/reauth?for=deletion");
    await look("confirm");
    await page.goto("/account/password");
    await fill(page, { "Current password": "wrong", "New password": "another password of alice" });
    await page.getByText(/hard to guess/i).waitFor();
    await look("password");
    await press(page, "Change the password");
    await page.getByText("This is not your password.").waitFor();
    await look("password, refused");
    await page.goto("/account/profile");
    await page.getByLabel("Username").waitFor();
    await look("profile");
    await page.goto("/account/security-log");
    await page.getByText("Signed up").waitFor();
    await look("security log");
    await page.goto("/account/delete");
    await press(page, "Delete my account");
    await page.getByRole("dialog").locator('button[aria-disabled="false"]', { hasText: "Delete" }).waitFor();
    await look("delete, asked");
    await page.goto("/admin/accounts");
    await page.getByRole("heading", { name: "This is for administrators" }).waitFor();
    await look("forbidden");
    await page.goto("/account/nothing");
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    await look("not found");
    expect(found).toEqual({});
  });

  it("nothing is wrong with the console", { timeout: 120_000 }, async () => {
    await using app = await testApp();
    const { user } = await signUp(app);
    await (await administrator(app)).setRoles({ id: user.id, roles: ["admin"] });
    await using tab = await openPage(browser, app, "/sign-in", { colorScheme, viewport: { width, height: 800 } });
    const { page } = tab;
    await signInAt(page, "alice");
    const found: Record<string, string[]> = {};
    const look = async (state: string) => {
      const faults = await faultsOf(page);
      if (faults.length > 0) found[state] = faults;
    };
    for (const [path, shows] of Object.entries(consolePages)) {
      await page.goto(path);
      await page.getByText(shows).first().waitFor();
      await look(path);
    }
    await page.getByLabel("Put an access token of yours here").fill((await signIn(app)).accessToken);
    await page.getByText(/It is good for|It has expired/).waitFor();
    await look("a token");
    await page.goto(`/admin/accounts/${user.id}`);
    await page.getByText("This device").or(page.getByText("Where it is signed in")).first().waitFor();
    await look("an account");
    await press(page, "Temporary password for alice");
    await page.getByRole("dialog").locator('button[aria-disabled="false"]', { hasText: "Temporary" }).waitFor();
    await look("an account, asked");
    expect(found).toEqual({});
  });
});

it("everything can be done by the keyboard", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await signUp(app);
  await using tab = await openPage(browser, app, "/sign-in");
  const { page } = tab;
  await page.locator("html[data-scripts=on]").waitFor();
  // The first field has the focus: whoever has a keyboard begins to type.
  await page.keyboard.type("alice");
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  expect(await page.getByLabel("Password", { exact: true }).getAttribute("type")).toBe("text");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/account");
  expect(tab.complaints).toEqual([]);
});
