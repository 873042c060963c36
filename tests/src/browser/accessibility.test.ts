/** What axe finds, and whether anything is cut off, in each state of the pages, as they are shown to different people. */
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { fill, nameField, openPage, press, signInAt } from "../support/open-page.ts";
import { administrator, signIn, signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

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

const directions = ["ltr", "rtl"] as const;
/** How the scripts of a page come: at once, not at all, or when somebody has begun to type. */
const scripts = ["on", "off", "late"] as const;

/** A browser that is shown the pages so. What axe finds, and in which state, is in `found`. */
async function shownAs(
  app: TestApp,
  {
    direction,
    width,
    script = "on",
    ...options
  }: {
    readonly direction: (typeof directions)[number];
    readonly width: number;
    readonly script?: (typeof scripts)[number];
    readonly colorScheme: "light" | "dark";
    readonly forcedColors?: "active";
  },
) {
  const tab = await openPage(browser, app, "/healthz", {
    ...options,
    viewport: { width, height: 800 },
    async prepare(context) {
      // No language of ours is written from the right yet; the pages are ready for one.
      await context.route(
        (url) => !url.pathname.startsWith("/pages/"),
        async (route) => {
          if (route.request().method() !== "GET" || direction === "ltr") return route.continue();
          const reply = await route.fetch({ maxRedirects: 0 });
          const isPage = reply.headers()["content-type"]?.includes("text/html") === true;
          const body = await reply.text();
          return route.fulfill({ response: reply, ...(isPage && { body: body.replace('dir="ltr"', 'dir="rtl"') }) });
        },
      );
      if (script === "on") return;
      await context.route("**/*.js", async (route) => {
        // Empty, and not switched off: axe is a script, too. What a browser without any does, sign-in.test.ts has.
        if (script === "off") return route.fulfill({ contentType: "text/javascript", body: "" });
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        return route.continue();
      });
    },
  });
  const found: Record<string, string[]> = {};
  return {
    ...tab,
    found,
    /** Goes to a page, and looks at what is there before its scripts are, if they are late. */
    async see(state: string, path: string) {
      await tab.page.goto(path, { waitUntil: script === "late" ? "commit" : "load" });
      await tab.page.getByRole("heading", { level: 1 }).waitFor();
      await this.look(state);
    },
    async look(state: string) {
      // What is there may not look as it will yet, where scripts are late.
      await tab.page.waitForFunction(() => getComputedStyle(document.body).marginTop === "0px");
      const faults = await faultsOf(tab.page);
      if (faults.length > 0) found[state] = faults;
    },
  };
}

/** A form that is refused is a reply of its own status, which a browser's console names. */
const complaintsOf = ({ complaints }: { readonly complaints: readonly string[] }) =>
  complaints.filter((complaint) => !/status of 4\d\d/.test(complaint));

describe.each(shown)("in $colorScheme, $width wide", (how) => {
  // Together: those whose scripts are late wait for most of their time.
  it.concurrent.each(scripts.flatMap((script) => directions.map((direction) => [script, direction] as const)))(
    "nothing is wrong before the sign-in, with scripts %s, %s",
    { timeout: 120_000 },
    async (script, direction) => {
      await using app = await testApp();
      await using tab = await shownAs(app, { ...how, direction, script });
      const { page, found } = tab;
      await tab.see("set up", "/setup");
      await signUp(app);
      await tab.see("sign up", "/sign-up");
      await fill(page, { Username: "b o b", Password: "correct horse battery staple" });
      await press(page, "Sign up");
      await page.getByText("Use 2 to 64 letters and digits").waitFor();
      await tab.look("sign up, refused");
      await tab.see("sign in", "/sign-in");
      expect(await page.locator("html").getAttribute("dir")).toBe(direction);
      await fill(page, { [nameField]: "alice", Password: "not the password" });
      if (script === "on") await press(page, "Show password");
      await press(page, "Sign in");
      await page.getByText("The username or the password is wrong.").waitFor();
      await tab.look("sign in, refused");
      await fill(page, { Password: password });
      await Promise.all([page.waitForURL("**/account"), press(page, "Sign in")]);
      await tab.see("sign in, signed in", "/sign-in");
      await page.getByText("You are signed in already.").waitFor();
      await tab.see("confirm", "/reauth?for=deletion");
      await fill(page, { Password: "wrong" });
      await press(page, "Confirm");
      await page.getByText("This is not your password.").waitFor();
      await tab.look("confirm, refused");
      expect(found).toEqual({});
      expect(complaintsOf(tab)).toEqual([]);
    },
  );

  it.each(directions)("nothing is wrong with a person's own pages: %s", { timeout: 120_000 }, async (direction) => {
    await using app = await testApp();
    await signUp(app);
    await using tab = await shownAs(app, { ...how, direction });
    const { page, found } = tab;
    await page.goto("/sign-in");
    await signInAt(page, "alice");
    await page.getByText("This device").waitFor();
    await tab.look("account");
    await page.goto("/account/password");
    await fill(page, { "Current password": "wrong", "New password": "another password of alice" });
    await page.getByText(/hard to guess/i).waitFor();
    await tab.look("password");
    await press(page, "Change the password");
    await page.getByText("This is not your password.").waitFor();
    await tab.look("password, refused");
    await page.goto("/account/profile");
    await page.getByLabel("Username").waitFor();
    await tab.look("profile");
    await page.goto("/account/security-log");
    await page.getByText("Signed up").waitFor();
    await tab.look("security log");
    await page.goto("/account/delete");
    await press(page, "Delete my account");
    await page.getByRole("dialog").locator('button[aria-disabled="false"]', { hasText: "Delete" }).waitFor();
    await tab.look("delete, asked");
    await page.goto("/admin/accounts");
    await page.getByRole("heading", { name: "This is for administrators" }).waitFor();
    await tab.look("forbidden");
    await page.goto("/account/nothing");
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    await tab.look("not found");
    expect(found).toEqual({});
    expect(complaintsOf(tab)).toEqual([]);
  });

  it("nothing is wrong with the console", { timeout: 120_000 }, async () => {
    await using app = await testApp();
    const { user } = await signUp(app);
    await (await administrator(app)).setRoles({ id: user.id, roles: ["admin"] });
    await using tab = await shownAs(app, { ...how, direction: "ltr" });
    const { page, found, look } = tab;
    await page.goto("/sign-in");
    await signInAt(page, "alice");
    for (const [path, shows] of Object.entries(consolePages)) {
      await page.goto(path);
      await page.getByText(shows).first().waitFor();
      await look(path);
    }
    await page.getByLabel("Put an access token of yours here").fill((await signIn(app)).accessToken);
    await page.getByText(/It is good for|It has expired/).waitFor();
    await look("a token");
    // Of somebody else: for one's own account there is less to do.
    const bob = await signUp(app, "bob");
    await page.goto(`/admin/accounts/${bob.user.id}`);
    await page.getByText("Signed in").first().waitFor();
    await look("an account");
    await press(page, "Temporary password for bob");
    await page.getByRole("dialog").locator('button[aria-disabled="false"]', { hasText: "Temporary" }).waitFor();
    await look("an account, asked");
    expect(found).toEqual({});
  });
});

it("nothing is wrong where the system chooses the colours", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await signUp(app);
  await using tab = await shownAs(app, { colorScheme: "dark", width: 1280, direction: "ltr", forcedColors: "active" });
  const { page, found } = tab;
  await tab.see("sign in", "/sign-in");
  // What can be pressed has an edge there, and not only a colour.
  const edge = await page
    .getByRole("button", { name: "Sign in", exact: true })
    .evaluate((button) => getComputedStyle(button).borderTopStyle);
  expect(edge).toBe("solid");
  await signInAt(page, "alice");
  await page.getByText("This device").waitFor();
  await tab.look("account");
  // Axe measures the colours that the pages name, and the system shows others.
  const faults = Object.values(found).flat();
  expect(faults.filter((fault) => !fault.startsWith("color-contrast:"))).toEqual([]);
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
