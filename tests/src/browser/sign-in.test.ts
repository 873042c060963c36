/** Signing up, in and out, on the pages of the server, as a person does it. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { fill, nameField, openPage, press } from "../support/open-page.ts";
import { signUp } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

await skipWithoutBrowser();

let browser: Browser & AsyncDisposable;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const alert = (page: Page) => page.getByRole("alert");

describe.each([
  ["with scripts", true],
  ["without scripts", false],
])("%s", (_, javaScriptEnabled) => {
  it("a person signs up, and is signed in", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await using tab = await openPage(browser, app, "/sign-up", { javaScriptEnabled });
    await fill(tab.page, {
      Username: "alice",
      "E-mail address (may be left out)": "alice@example.com",
      Password: password,
    });
    await Promise.all([tab.page.waitForURL("**/account"), press(tab.page, "Sign up")]);
    if (javaScriptEnabled) await tab.page.getByText("alice@example.com").waitFor();
    expect(tab.complaints).toEqual([]);
  });

  it("a wrong password is told, what was typed is kept, and the right one signs in", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await signUp(app);
    await using tab = await openPage(browser, app, "/sign-in?return_to=/account%3Ftab=2", { javaScriptEnabled });
    const { page } = tab;
    await fill(page, { [nameField]: "alice", Password: "not the password" });
    await press(page, "Sign in");
    await alert(page).getByText("The username or the password is wrong.").waitFor();
    expect(await page.getByLabel(nameField).inputValue()).toBe("alice");
    expect(await page.getByLabel("Password", { exact: true }).getAttribute("type")).toBe("password");
    if (javaScriptEnabled)
      expect(await alert(page).evaluate((element) => element === document.activeElement)).toBe(true);
    await fill(page, { Password: password });
    await Promise.all([page.waitForURL("**/account?tab=2"), press(page, "Sign in")]);
    // A refusal of the form is a page of its own status, which a browser's console names; a call's is, too.
    expect(tab.complaints.filter((complaint) => !complaint.includes("401"))).toEqual([]);
  });

  it("nobody is led to another website", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await signUp(app);
    await using tab = await openPage(browser, app, "/sign-in?return_to=//evil.example/", { javaScriptEnabled });
    await fill(tab.page, { [nameField]: "alice", Password: password });
    await Promise.all([tab.page.waitForURL("**/account"), press(tab.page, "Sign in")]);
    expect(new URL(tab.page.url()).origin).toBe(app.url);
    expect(tab.complaints).toEqual([]);
  });

  it("a password that is too short is told at its field", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await using tab = await openPage(browser, app, "/sign-up", { javaScriptEnabled });
    const { page } = tab;
    await fill(page, { Username: "alice", Password: "short" });
    await press(page, "Sign up");
    await page.getByText("This password is too short: it needs at least 8 characters.").waitFor();
    const field = page.getByLabel("Password", { exact: true });
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    expect(
      await field.evaluate(
        (input) => document.getElementById(input.getAttribute("aria-describedby")?.split(" ")[0] ?? "")?.textContent,
      ),
    ).toContain("too short");
    expect(await page.getByLabel("Username").inputValue()).toBe("alice");
    if (javaScriptEnabled) expect(await field.evaluate((input) => input === document.activeElement)).toBe(true);
  });
});

it("what was typed before the scripts came stays, and is sent", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await signUp(app);
  const scripts = Promise.withResolvers<void>();
  await using tab = await openPage(browser, app, "/account", {
    waitUntil: "commit",
    async prepare(context) {
      await context.route("**/*.js", async (route) => {
        await scripts.promise;
        await route.continue();
      });
    },
  });
  const { page } = tab;
  await page.waitForURL("**/sign-in**", { waitUntil: "commit" });
  await fill(page, { [nameField]: "alice", Password: password });
  scripts.resolve();
  await page.locator("html[data-scripts=on]").waitFor();
  expect(await page.getByLabel(nameField).inputValue()).toBe("alice");
  await Promise.all([page.waitForURL("**/account"), press(page, "Sign in")]);
  expect(tab.complaints).toEqual([]);
});

it("the language follows the browser, and a choice of one's own", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await using tab = await openPage(browser, app, "/sign-in?return_to=/account%3Ftab=2", { locale: "de-AT" });
  const { page } = tab;
  await page.getByRole("heading", { name: "Anmelden" }).waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("de");
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(new URL(page.url()).searchParams.get("return_to")).toBe("/account?tab=2");
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(tab.complaints).toEqual([]);
});

it("a device that another signs out is led to the sign-in, and back to where it was", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await signUp(app);
  const signIn = async (userAgent: string) => {
    const tab = await openPage(browser, app, "/sign-in", { userAgent });
    await fill(tab.page, { [nameField]: "alice", Password: password });
    await Promise.all([tab.page.waitForURL("**/account"), press(tab.page, "Sign in")]);
    return tab;
  };
  await using laptop = await signIn("Laptop");
  await using phone = await signIn("Phone");
  const device = laptop.page.getByRole("listitem").filter({ hasText: "Phone" });
  await laptop.page.getByRole("listitem").filter({ hasText: "This device" }).filter({ hasText: "Laptop" }).waitFor();
  await device.getByRole("button", { name: "Sign out Phone" }).click();
  await device.waitFor({ state: "detached" });
  await phone.page.waitForURL("**/sign-in?return_to=%2Faccount");
  expect(laptop.complaints).toEqual([]);
  await press(laptop.page, "Sign out");
  await laptop.page.waitForURL("**/sign-in**");
  await laptop.page.goBack();
  await laptop.page.getByRole("heading", { name: "Sign in" }).waitFor();
});
