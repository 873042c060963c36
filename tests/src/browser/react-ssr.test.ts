/** `npm run ssr` as people use it: pages that the server renders for whoever asks, and that go on in the browser. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { buildPages } from "../../../scripts/build.mjs";
import { skipWithoutBrowser, startBrowser, watch } from "../support/browser.ts";
import { type Example, startExample } from "../support/example.ts";
import { password } from "../support/test-app.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
await skipWithoutBrowser();

let ssr: Example;
let browser: Browser;
beforeAll(async () => {
  expect(await buildPages()).toBe(true);
  ssr = await startExample("react-ssr/dist/server/index.js", { announces: "Open" });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await ssr?.[Symbol.asyncDispose]();
});

it("a page without a cookie leads to the login page", async () => {
  const reply = await fetch(ssr.url, { redirect: "manual" });
  expect([reply.status, reply.headers.get("location")]).toEqual([302, "/login"]);
  const forged = await get("/", "countersign=v1.forged");
  expect(forged).toMatchObject({ status: 302, headers: expect.objectContaining({ location: "/login" }) });
});

it("a page's HTML has the visitor's notes, and nobody keeps it", async () => {
  const cookie = await visitor("ada", "Note of ada");
  const page = await get("/", cookie);
  expect(page).toMatchObject({ status: 200, headers: expect.objectContaining({ "cache-control": "no-store" }) });
  expect(page.body).toMatch(/<h1>Notes of (<!-- -->)?ada<\/h1>.*<li>Note of ada<\/li>/);
  expect(page.body).not.toContain(cookie.split("=")[1]);
});

it("pages asked for at once are each their own visitor's", async () => {
  const people = Array.from({ length: 10 }, (_, index) => `visitor${index}`);
  const cookies = await Promise.all(people.map((name) => visitor(name, `Note of ${name}`)));
  const paths = ["/", "/_.data"];
  const asked = Array.from({ length: 200 }, (_, index) => {
    const who = (index * 7) % 10;
    return { name: people[who], page: get(paths[index % 3 === 0 ? 1 : 0] ?? "/", cookies[who] ?? "") };
  });
  for (const { name, page } of asked) {
    const { body } = await page;
    expect([...new Set(body.match(/visitor\d+/g))]).toEqual([name]);
    expect(body).toContain(`Note of ${name}`);
  }
});

it("after a sign-in the page shows the notes, and goes on with what the server knew", async () => {
  await using bob = await device();
  const page = await bob.open("/");
  expect(page.url()).toBe(`${ssr.url}/login`);
  await signIn(page, "bob", "Make an account");
  await page.getByRole("heading", { name: "Notes of bob" }).waitFor();
  await page.getByLabel("New note").fill("Buy milk");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByRole("listitem").filter({ hasText: "Buy milk" }).waitFor();
  expect(await page.getByLabel("New note").inputValue()).toBe("");

  const second = await bob.open("/");
  await hydrated(second);
  expect(await second.getByRole("listitem").allTextContents()).toEqual(["Buy milk"]);
  // Nothing is asked again, and nothing of the page is made anew.
  expect(await second.evaluate(() => Reflect.get(globalThis, "changes"))).toEqual([]);
  expect(bob.calls.get(second)).toEqual([]);
  expect(bob.complaints()).toEqual([]);
});

it("a sign-out leads all tabs to the login page", async () => {
  await using carol = await device();
  const page = await carol.open("/login");
  await signIn(page, "carol", "Make an account");
  await page.getByRole("heading", { name: "Notes of carol" }).waitFor();
  const other = await carol.open("/");
  await hydrated(other);
  await page.getByRole("button", { name: "Sign out" }).click();
  for (const tab of [page, other]) {
    await tab.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(tab.url()).toBe(`${ssr.url}/login`);
    expect(await tab.content()).not.toContain("carol");
  }
  // And a sign-in leads both away from it.
  await hydrated(other);
  await signIn(other, "carol", "Sign in");
  for (const tab of [page, other]) await tab.getByRole("heading", { name: "Notes of carol" }).waitFor();
  expect(carol.complaints()).toEqual([]);
});

it("a sign-out that no network carries hides the notes, and leads to the login page once there is one", async () => {
  await using carl = await device();
  const page = await carl.open("/login");
  await signIn(page, "carl", "Make an account");
  await page.getByRole("heading", { name: "Notes of carl" }).waitFor();
  await hydrated(page);
  await page.route("**/*", (route) => route.abort("internetdisconnected"));
  await page.getByLabel("New note").fill("On a train");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("That did not work.").waitFor();
  expect(await page.getByLabel("New note").inputValue()).toBe("On a train");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are signed out here").waitFor();
  expect(await page.getByRole("heading", { name: "Notes of carl" }).count()).toBe(0);
  await page.unroute("**/*");
  await page.goto(ssr.url);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(page.url()).toBe(`${ssr.url}/login`);
});

it("who signs in next is shown their own notes, in all tabs", async () => {
  await using shared = await device();
  const page = await shared.open("/login");
  await signIn(page, "dora", "Make an account");
  await page.getByLabel("New note").fill("Of Dora");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("Of Dora", { exact: true }).waitFor();
  const other = await shared.open("/");
  await hydrated(other);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await hydrated(page);
  await hydrated(other);
  await signIn(page, "emil", "Make an account");
  for (const tab of [page, other]) {
    await tab.getByRole("heading", { name: "Notes of emil" }).waitFor();
    expect(await tab.getByRole("listitem").count()).toBe(0);
  }
});

it("a page whose visitor became another one is made anew", async () => {
  await using shared = await device();
  const page = await shared.open("/login");
  await signIn(page, "gina", "Make an account");
  await page.getByRole("heading", { name: "Notes of gina" }).waitFor();
  await hydrated(page);
  await page.evaluate(
    async (json) => {
      const headers = { "content-type": "application/json" };
      await fetch("/trpc/auth.cookie.register", { method: "POST", headers, body: JSON.stringify({ json }) });
      // What lets the client ask who is signed in.
      dispatchEvent(new Event("online"));
    },
    { username: "hugo", password },
  );
  await page.getByRole("heading", { name: "Notes of hugo" }).waitFor();
  expect(await page.content()).not.toContain("gina");
  expect(shared.complaints()).toEqual([]);
});

it("a wrong password is shown as such", async () => {
  await using stranger = await device();
  const page = await stranger.open("/login");
  await hydrated(page);
  await signIn(page, "nobody", "Sign in");
  await page.getByText("The username or the password is wrong.").waitFor();
});

it("without its script, the form signs in all the same", async () => {
  await using frank = await device({ javaScriptEnabled: false });
  const page = await frank.open("/login");
  await signIn(page, "frank", "Sign in");
  await page.getByText("The username or the password is wrong.").waitFor();
  await signIn(page, "frank", "Make an account");
  await page.getByRole("heading", { name: "Notes of frank" }).waitFor();
  await page.getByLabel("New note").fill("By post");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("By post").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect((await page.context().cookies()).map(({ name }) => name)).toEqual([]);
});

/** Makes an account with a note, and returns its cookie. */
async function visitor(username: string, text: string): Promise<string> {
  const registered = await call("auth.cookie.register", { username, password });
  const cookie = registered.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  expect(await call("notes.create", { text }, { cookie, "sec-fetch-site": "same-origin" })).toMatchObject({ ok: true });
  return cookie;
}

function call(path: string, json: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${ssr.url}/trpc/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "sec-fetch-site": "same-origin", ...headers },
    body: JSON.stringify({ json }),
  });
}

/** A page as it comes, before any script. */
async function get(path: string, cookie: string) {
  const reply = await fetch(`${ssr.url}${path}`, { headers: { cookie }, redirect: "manual" });
  return { status: reply.status, headers: Object.fromEntries(reply.headers), body: await reply.text() };
}

/** A browser of its own, with no cookies yet. */
async function device(options: BrowserContextOptions = {}) {
  const context = await browser.newContext(options);
  await context.addInitScript(noteChanges);
  const watched: string[][] = [];
  const calls = new Map<Page, string[]>();
  return {
    /** Those of all its tabs. */
    complaints: () => watched.flat(),
    /** The calls of each tab. */
    calls,
    async open(path: string): Promise<Page> {
      const page = await context.newPage();
      const called: string[] = [];
      page.on("request", (request) => {
        const { pathname } = new URL(request.url());
        if (pathname.startsWith("/trpc/")) called.push(pathname);
      });
      calls.set(page, called);
      watched.push(watch(page, ssr.url));
      await page.goto(`${ssr.url}${path}`);
      return page;
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** Runs in the page: what is changed of it after the server's HTML was read. */
function noteChanges(): void {
  const changes: string[] = [];
  Object.assign(globalThis, { changes });
  addEventListener("DOMContentLoaded", () => {
    const main = document.querySelector("main");
    const observer = new MutationObserver((records) => changes.push(...records.map(({ type }) => type)));
    if (main !== null) observer.observe(main, { characterData: true, childList: true, subtree: true });
  });
}

/** Waits until React has taken over the server's HTML. */
async function hydrated(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const main = document.querySelector("main");
    return main !== null && Object.keys(main).some((key) => key.startsWith("__react"));
  });
}

async function signIn(page: Page, username: string, action: "Sign in" | "Make an account"): Promise<void> {
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: action }).click();
}
