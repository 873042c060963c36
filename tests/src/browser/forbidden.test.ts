/** Browsers whose owner, or whose age, keeps things from pages. */
import { expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser, watch } from "../support/browser.ts";
import { password } from "../support/test-app.ts";
import { inPage, servePages } from "./pages.ts";

await skipWithoutBrowser();

it.each(["localStorage", "cookie", "memory"])(
  'storage "%s" signs in where there are no locks and no channels, and localStorage throws',
  { timeout: 30_000 },
  async (storage) => {
    await using server = await servePages();
    await using browser = await startBrowser();
    const context = await browser.newContext();
    await context.addInitScript(() => {
      Object.defineProperty(navigator, "locks", { value: undefined });
      Reflect.deleteProperty(window, "BroadcastChannel");
      // As Chromium does where cookies are blocked.
      Object.defineProperty(window, "localStorage", {
        get() {
          throw new DOMException("Access is denied for this document.", "SecurityError");
        },
      });
    });
    const page = await context.newPage();
    const complaints = watch(page, server.url);
    await page.goto(`${server.url}/page?storage=${storage}`);
    expect(await page.evaluate("typeof BroadcastChannel + navigator.locks")).toBe("undefinedundefined");
    await expect(page.evaluate("localStorage")).rejects.toThrow("SecurityError");

    const start = () => inPage(page, ({ auth }) => auth.start(), null);
    const call = () => inPage(page, async ({ auth }) => (await auth.trpc.whoami.query()).username, null);
    expect(await start()).toEqual({ status: "signed-out", reason: null });
    await inPage(page, ({ auth }, input) => auth.register(input).then(() => {}), { username: "alice", password });
    expect(await call()).toBe("alice");
    await page.reload();
    // It lasted as long as the page, but for the cookie, which is the browser's own to keep.
    expect((await start()).status).toBe(storage === "cookie" ? "signed-in" : "signed-out");
    await inPage(page, ({ auth }, input) => auth.login(input).then(() => {}), { username: "alice", password });
    await inPage(page, ({ auth }) => auth.logout(), null);
    expect(await start()).toEqual({ status: "signed-out", reason: "SIGNED_OUT" });
    expect(complaints).toEqual([]);
  },
);
