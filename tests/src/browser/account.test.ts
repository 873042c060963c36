/** A person's own account, on the pages of the server, as they use it. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { fill, openPage, press, signInAt } from "../support/open-page.ts";
import { administrator, signUp } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

await skipWithoutBrowser();

let browser: Browser & AsyncDisposable;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const newPassword = "an even better horse battery";
const go = (page: Page, name: string) => page.getByRole("navigation").getByRole("link", { name, exact: true }).click();

describe("the profile", () => {
  it("is changed after the password was confirmed, and what was typed is kept meanwhile", {
    timeout: 60_000,
  }, async () => {
    await using app = await testApp();
    await signUp(app);
    await using tab = await openPage(browser, app, "/sign-in?return_to=/account");
    const { page } = tab;
    await signInAt(page, "alice");
    await app.clock.advance({ minutes: 6 });
    await page.getByRole("link", { name: "Change your username or e-mail address" }).click();
    await fill(page, { Username: "alicia", "E-mail address (may be left out)": "alicia@example.com" });
    await press(page, "Save");
    await page.waitForURL("**/reauth?**");
    expect(await page.getByRole("main").textContent()).toContain("Before you change how you sign in");
    await fill(page, { Password: password });
    await Promise.all([page.waitForURL("**/account/profile"), press(page, "Confirm")]);
    expect(await page.getByLabel("Username").inputValue()).toBe("alicia");
    await Promise.all([page.waitForURL("**/account"), press(page, "Save")]);
    await page.getByText("alicia@example.com").waitFor();
    await page.getByRole("banner").getByText("alicia").waitFor();
    expect(tab.complaints.filter((complaint) => !complaint.includes("403"))).toEqual([]);
  });

  it("says at its field that a name is taken", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await signUp(app, "bob");
    await signUp(app);
    await using tab = await openPage(browser, app, "/sign-in?return_to=/account/profile");
    const { page } = tab;
    await signInAt(page, "alice");
    await fill(page, { Username: "Bob" });
    await press(page, "Save");
    await page.getByText("This username is taken. Choose another.").waitFor();
    expect(await page.getByLabel("Username").getAttribute("aria-invalid")).toBe("true");
    expect(await page.getByLabel("Username").inputValue()).toBe("Bob");
  });
});

describe("the password", () => {
  it("is changed, with a word on how hard it is to guess, and signs other devices out", {
    timeout: 60_000,
  }, async () => {
    await using app = await testApp();
    await signUp(app);
    await using tab = await openPage(browser, app, "/sign-in?return_to=/account/password");
    await using phone = await openPage(browser, app, "/sign-in");
    const { page } = tab;
    await signInAt(page, "alice");
    await signInAt(phone.page, "alice");
    await page.getByLabel("New password").pressSequentially("password");
    await page.getByText("A program guesses this at once.").waitFor();
    await fill(page, { "Current password": "wrong", "New password": newPassword });
    await page.getByText("Very hard to guess.").waitFor();
    await press(page, "Change the password");
    await page.getByText("This is not your password.").waitFor();
    await fill(page, { "Current password": password, "New password": "password" });
    await press(page, "Change the password");
    await page.getByText("This password is on the lists that attackers try first.").waitFor();
    await fill(page, { "New password": newPassword });
    await press(page, "Change the password");
    await page.getByText("The password is changed").waitFor();
    await phone.page.waitForURL("**/sign-in?**");
    await fill(phone.page, { "Username or e-mail address": "alice", Password: newPassword });
    await Promise.all([phone.page.waitForURL("**/account"), press(phone.page, "Sign in")]);
  });

  it("that is a temporary one is said to be so", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    const { user } = await signUp(app);
    const temporary = await (await administrator(app)).setTemporaryPassword({ id: user.id });
    await using tab = await openPage(browser, app, "/sign-in");
    await signInAt(tab.page, "alice", temporary.password);
    await tab.page.getByRole("link", { name: "Choose one of your own" }).click();
    await fill(tab.page, { "Current password": temporary.password, "New password": newPassword });
    await press(tab.page, "Change the password");
    await tab.page.getByText("The password is changed").waitFor();
    await go(tab.page, "Your account");
    await tab.page.getByText("This device").waitFor();
    await tab.page.getByRole("link", { name: "Choose one of your own" }).waitFor({ state: "detached" });
  });
});

describe("the security log", () => {
  it("has what happened, and more of it further back", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    const { user } = await signUp(app);
    const { db, now } = await app.auth.start();
    const rows = Array.from({ length: 60 }, (_, index) => ({
      id: `01990000-0000-7000-8000-${String(index).padStart(12, "0")}`,
      at: now() - 1_000 * (index + 1),
      kind: "sign_in_failed",
      account_id: user.id,
      user_agent: "<script>alert(1)</script>",
      address: "203.0.113.9",
      details: "{}",
    }));
    await db.insertInto("audit_events").values(rows).execute();
    await using tab = await openPage(browser, app, "/sign-in?return_to=/account/security-log");
    const { page } = tab;
    await signInAt(page, "alice");
    await page.getByText("Signed up").waitFor();
    const failed = page.getByRole("listitem").filter({ hasText: "A sign-in failed" });
    expect(await failed.count()).toBeLessThan(60);
    expect(await failed.first().textContent()).toContain("<script>alert(1)</script>");
    await press(page, "Look further back");
    await page.getByText("This is all there is.").waitFor();
    expect(await failed.count()).toBe(60);
    expect(tab.complaints).toEqual([]);
  });
});

describe("the deletion", () => {
  it("is asked for after a confirmation, and taken back after another sign-in", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await signUp(app);
    await using tab = await openPage(browser, app, "/sign-in?return_to=/account/delete");
    const { page } = tab;
    await signInAt(page, "alice");
    await press(page, "Delete my account");
    const dialog = page.getByRole("dialog", { name: "Delete your account?" });
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
    await press(page, "Delete my account");
    await dialog.locator('button[aria-disabled="false"]', { hasText: "Delete my account" }).click();
    await page.getByRole("heading", { name: "Your account is going to be deleted" }).waitFor();
    await Promise.all([page.waitForURL("**/sign-in"), page.getByRole("link", { name: "Sign in" }).click()]);
    await signInAt(page, "alice");
    await page.getByText("Your account is going to be deleted on").waitFor();
    await press(page, "Keep my account");
    await page.getByText("Your account is going to be deleted on").waitFor({ state: "detached" });
    expect(tab.complaints).toEqual([]);
  });

  it("of the last administrator is refused with its reason", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await signUp(app);
    const { db } = await app.auth.start();
    await db.updateTable("accounts").set({ roles: '["admin"]', version: 2 }).execute();
    await using tab = await openPage(browser, app, "/sign-in?return_to=/account/delete");
    const { page } = tab;
    await signInAt(page, "alice");
    await press(page, "Delete my account");
    const dialog = page.getByRole("dialog");
    await dialog.locator('button[aria-disabled="false"]', { hasText: "Delete my account" }).click();
    await dialog.getByText("This is the last account that administers this server.").waitFor();
  });
});
