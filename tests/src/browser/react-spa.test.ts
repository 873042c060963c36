/** `npm run spa` as people use it: React in StrictMode, Vite's own server, the real API behind it. */
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { skipWithoutBrowser, startBrowser, watch } from "../support/browser.ts";
import { type Example, startExample } from "../support/example.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { password } from "../support/test-app.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
await skipWithoutBrowser();

let spa: Example;
let browser: Browser;
beforeAll(async () => {
  [spa, browser] = await Promise.all([startExample("react-spa/src/dev.ts", { announces: "Open" }), startBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await spa?.[Symbol.asyncDispose]();
});

it("an account is made, and its notes are there after a reload and in a second tab", async () => {
  await using alice = await device();
  const page = await alice.open();
  await register(page, "alice");
  await addNote(page, "Buy milk");
  await page.reload();
  await note(page, "Buy milk").waitFor();
  const second = await alice.open();
  await note(second, "Buy milk").waitFor();
  await button(second, "Remove “Buy milk”").click();
  await note(second, "Buy milk").waitFor({ state: "detached" });
  expect(alice.complaints()).toEqual([]);
});

it("a sign-out in one tab ends the view of the other within a second", async () => {
  await using alice = await device();
  const [page, other] = [await alice.open(), await alice.open()];
  await register(page, "alice.tabs");
  await addNote(page, "Secret plan");
  // The sign-in went to the other tab by itself, and so does the sign-out.
  await button(other, "Sign out").waitFor();
  await other.reload();
  await note(other, "Secret plan").waitFor();
  await button(page, "Sign out").click();
  await button(other, "Sign in").waitFor({ timeout: 1_000 });
  expect([await page.content(), await other.content()].join()).not.toMatch(/Secret plan|alice/);
  expect([await cachedQueries(page), await cachedQueries(other)]).toEqual([[], []]);
  expect(alice.complaints()).toEqual([]);
});

it("a sign-out without a network says so, and is made up for by whoever is online again", async () => {
  await using alice = await device();
  const page = await alice.open();
  await register(page, "alice.train");
  await page.context().setOffline(true);
  await button(page, "Sign out").click();
  await page.getByText("You are signed out here.").waitFor();
  await page.context().setOffline(false);
  await expect.poll(() => page.context().cookies()).toEqual([]);
});

it("who signs in next sees nothing of who was there before", async () => {
  await using shared = await device();
  const [page, other] = [await shared.open(), await shared.open()];
  await register(page, "alice.before");
  await addNote(page, "Of Alice");
  await other.reload();
  await note(other, "Of Alice").waitFor();

  // Without a sign-out in between, as when a page of the application's own does it.
  const input = JSON.stringify({ username: "bob.after", password });
  await page.evaluate(`import("/src/auth.ts").then(({ auth }) => auth.register(${input}))`);
  for (const tab of [page, other]) {
    await tab.getByText("bob.after").waitFor();
    await tab.getByText("This browser").waitFor();
    expect(await tab.content()).not.toContain("Of Alice");
    expect(JSON.stringify(await cachedQueries(tab))).not.toContain("Of Alice");
  }
  expect(shared.complaints()).toEqual([]);
});

it("each refusal is shown where it belongs, and has the focus", async () => {
  await using stranger = await device();
  const page = await stranger.open();
  await signIn(page, "nobody", "wrong");
  await expectFocus(page, "The username or the password is wrong.");

  await signIn(page, "nobody", "");
  await expectFocus(page, '"password" must not be empty');
  await button(page, "Make an account").click();
  await send(page, "Register", { username: "x", secret: password });
  await expectFocus(page, '"username" must have at least 2 characters');
  await send(page, "Register", { username: "carol", secret: "password1" });
  await expectFocus(page, /^"password" is among the most used ones/);
  await send(page, "Register", { username: "carol", secret: password });
  await button(page, "Sign out").click();
  await button(page, "Make an account").click();
  await send(page, "Register", { username: "carol", secret: password });
  await expectFocus(page, "This username is taken. Choose another.");
});

it("too many attempts are told with how long to wait", async () => {
  await using stranger = await device();
  const page = await stranger.open();
  const guess = () => stranger.login("guessed.at", "wrong");
  for (let attempt = 0; attempt < 20; attempt += 1) await guess();
  await signIn(page, "guessed.at", "wrong");
  await expectFocus(page, "Too many attempts. Try again in 15 minutes.");
});

it("without the server the page says so, and begins once it is there", async () => {
  await using alice = await device();
  await alice.context.route("**/trpc/**", (route) => route.abort());
  const page = await alice.open();
  await page.getByText("One moment …").waitFor();
  await page.getByText("The server cannot be reached.").waitFor();
  expect(await page.getByRole("heading", { name: "Sign in" }).count()).toBe(0);
  await alice.context.unroute("**/trpc/**");
  await button(page, "Try again").click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
});

it("no script can read a secret", async () => {
  await using alice = await device();
  const page = await alice.open();
  await register(page, "alice.secret");
  const kept = await page.evaluate(() => [document.cookie, { ...localStorage }, { ...sessionStorage }]);
  expect(kept).toEqual(["", {}, {}]);
  expect(await alice.context.cookies()).toMatchObject([{ name: "countersign", httpOnly: true, sameSite: "Lax" }]);
});

it("a call that needs a recent sign-in asks for the password, and is then sent again", async () => {
  await using alice = await device();
  const page = await alice.open();
  await register(page, "alice.again");
  await addNote(page, "First");
  await button(page, "Remove all").click();
  await note(page, "First").waitFor({ state: "detached" });

  await addNote(page, "Second");
  spa.advance(301_000);
  await button(page, "Remove all").click();
  const dialog = page.getByRole("dialog", { name: "Is it you, alice.again?" });
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await notes(page).getByText("This call needs a recent sign-in.").waitFor();
  await note(page, "Second").waitFor();

  await button(page, "Remove all").click();
  await dialog.getByLabel("Password").fill("wrong");
  await dialog.getByRole("button", { name: "Confirm" }).click();
  await dialog.getByText("The username or the password is wrong.").waitFor();
  await dialog.getByLabel("Password").fill(password);
  await dialog.getByRole("button", { name: "Confirm" }).click();
  await note(page, "Second").waitFor({ state: "detached" });
  await dialog.waitFor({ state: "detached" });
});

it("a sign-out elsewhere answers the dialogue, which nobody sees again", async () => {
  await using alice = await device();
  const [page, other] = [await alice.open(), await alice.open()];
  await register(page, "alice.gone");
  spa.advance(301_000);
  await button(page, "Remove all").click();
  await page.getByRole("dialog").waitFor();
  await button(other, "Sign out").click();
  await button(page, "Sign in").waitFor();
  await signIn(page, "alice.gone", password);
  await button(page, "Sign out").waitFor();
  expect(await page.getByRole("dialog").count()).toBe(0);
});

it("other devices are listed, and signed out", async () => {
  await using laptop = await device();
  await using phone = await device();
  const [page, elsewhere] = [await laptop.open(), await phone.open()];
  await register(page, "alice.devices");
  await signIn(elsewhere, "alice.devices", password);
  await button(elsewhere, "Sign out").waitFor();
  await page.reload();
  const sessions = page.getByRole("region", { name: "Your sessions" });
  await sessions.getByText("HeadlessChrome").waitFor();
  await button(page, "Sign out elsewhere").click();
  await sessions.getByText("Signed out elsewhere: 1.").waitFor();
  await sessions.getByText("HeadlessChrome").waitFor({ state: "detached" });
  await elsewhere.getByLabel("New note").fill("Too late");
  await button(elsewhere, "Add").click();
  await button(elsewhere, "Sign in").waitFor();
  expect(laptop.complaints()).toEqual([]);
});

it("builds for production, with nothing of the server in it", async () => {
  await using folder = await temporaryFolder();
  const example = fileURLToPath(new URL("../../../examples/react-spa", import.meta.url));
  const build = ["node_modules/vite/bin/vite.js", "build", "--outDir", folder.path, "--emptyOutDir"];
  const env = { ...process.env, NODE_ENV: "production" };
  await promisify(execFile)(process.execPath, build, { cwd: example, env });
  const scripts = globSync(folder.file("assets/*.js")).map((file) => readFileSync(file, "utf8"));
  const wanted = ["Sign out elsewhere", "argon2", "kysely", "createAuth("];
  expect(wanted.filter((text) => scripts.join().includes(text))).toEqual(["Sign out elsewhere"]);
});

/** A browser of its own, with no cookies yet. */
async function device() {
  const context = await browser.newContext();
  const watched: string[][] = [];
  return {
    context,
    /** Those of all its tabs. */
    complaints: () => watched.flat(),
    async open(): Promise<Page> {
      const page = await context.newPage();
      watched.push(watch(page, spa.url));
      await page.goto(spa.url);
      return page;
    },
    /** A sign-in without a page. */
    login: (username: string, secret: string) =>
      context.request.post(`${spa.url}/trpc/auth.login`, { data: { json: { username, password: secret } } }),
    [Symbol.asyncDispose]: () => context.close(),
  };
}

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const notes = (page: Page) => page.getByRole("region", { name: "Your notes" });
const note = (page: Page, text: string) => notes(page).getByRole("listitem").filter({ hasText: text });

async function register(page: Page, username: string): Promise<void> {
  await button(page, "Make an account").click();
  await send(page, "Register", { username, secret: password });
  await page.getByText(`Signed in as ${username}.`).waitFor();
}

function signIn(page: Page, username: string, secret: string): Promise<void> {
  return send(page, "Sign in", { username, secret });
}

async function send(page: Page, action: string, { username, secret }: { username: string; secret: string }) {
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password").fill(secret);
  await button(page, action).click();
}

async function addNote(page: Page, text: string): Promise<void> {
  await page.getByLabel("New note").fill(text);
  await button(page, "Add").click();
  await note(page, text).waitFor();
}

/** What has the focus is this sentence, or is described by it. */
async function expectFocus(page: Page, sentence: string | RegExp): Promise<void> {
  await page.getByText(sentence, { exact: true }).waitFor();
  const text = await page.evaluate(() => {
    const focused = document.activeElement;
    const description = document.getElementById(focused?.getAttribute("aria-describedby") ?? "");
    return (description ?? focused)?.textContent;
  });
  if (typeof sentence === "string") expect(text).toBe(sentence);
  else expect(text).toMatch(sentence);
}

/** What TanStack Query holds. */
function cachedQueries(page: Page): Promise<unknown> {
  return page.evaluate(`import("/src/auth.ts").then(({ queryClient }) =>
    queryClient.getQueryCache().getAll().map(({ queryKey, state }) => [queryKey, state.data]))`);
}
