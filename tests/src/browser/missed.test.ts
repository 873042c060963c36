/** What a page missed: while it was kept for the way back, or without a network. */
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { password } from "../support/test-app.ts";
import { inPage, servePages } from "./pages.ts";

await skipWithoutBrowser();

const alice = { username: "alice", password };
const statusOf = (page: Page) => inPage(page, ({ auth }) => auth.session.status, null);

async function open(page: Page, address: string): Promise<Page> {
  await page.goto(address);
  await inPage(page, ({ auth }) => auth.start(), null);
  return page;
}

/** What a browser tells a page that it keeps, and shows again. Without a window, Chromium keeps none: it is told all the same. */
function turn(page: Page, type: "pagehide" | "pageshow"): Promise<void> {
  return inPage(page, (_, name) => void window.dispatchEvent(new PageTransitionEvent(name, { persisted: true })), type);
}

it.each(["localStorage", "cookie"])(
  'with storage "%s", a page that comes back from the back/forward cache learns that another tab has signed out',
  { timeout: 30_000 },
  async (storage) => {
    await using server = await servePages();
    await using browser = await startBrowser();
    const context = await browser.newContext();
    const address = `${server.url}/page?storage=${storage}`;
    const first = await context.newPage();
    // Nothing reaches a page that is kept: neither a channel, which it closes itself, nor this. Before the page's script.
    await first.addInitScript(() => window.addEventListener("storage", (event) => event.stopImmediatePropagation()));
    await open(first, address);
    await inPage(first, ({ auth }, input) => auth.register(input).then(() => {}), alice);
    const second = await open(await context.newPage(), address);
    const witness = await open(await context.newPage(), address);

    await turn(first, "pagehide");
    await inPage(second, ({ auth }) => auth.logout(), null);
    await expect.poll(() => statusOf(witness)).toBe("signed-out");
    expect(await statusOf(first)).toBe("signed-in");

    await turn(first, "pageshow");
    await expect
      .poll(() => inPage(first, ({ auth }) => auth.session, null))
      .toEqual({ status: "signed-out", reason: "SIGNED_OUT" });
    // And hears the others again.
    await inPage(second, ({ auth }, input) => auth.login(input).then(() => {}), alice);
    await expect.poll(() => statusOf(first)).toBe("signed-in");
  },
);

it("a page that could not find out who is signed in does so when it goes online", { timeout: 30_000 }, async () => {
  await using server = await servePages();
  await using browser = await startBrowser();
  const context = await browser.newContext();
  const address = `${server.url}/page?storage=cookie`;
  const other = await open(await context.newPage(), address);
  await inPage(other, ({ auth }, input) => auth.register(input).then(() => {}), alice);

  await context.route("**/trpc/**", (route) => route.abort("internetdisconnected"));
  const page = await open(await context.newPage(), address);
  expect(await inPage(page, ({ auth, events }) => [auth.session.status, ...events], null)).toEqual([
    "starting",
    "start-failed",
  ]);
  await context.setOffline(true);
  await context.unroute("**/trpc/**");
  server.sent.length = 0;
  await context.setOffline(false);
  await expect.poll(() => statusOf(page)).toBe("signed-in");
  expect(new Set(server.sent)).toEqual(new Set(["/trpc/auth.session"]));
});
