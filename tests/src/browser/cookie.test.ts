/** The session cookie in a real browser: what other sites' pages cannot do with it, and what scripts cannot see. */
import type { BrowserContext, Page } from "playwright-core";
import { expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { password } from "../support/test-app.ts";
import { inPage, servePages } from "./pages.ts";

await skipWithoutBrowser();

const alice = { username: "alice", password };

async function open(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** Signs alice in on a page of the server's own origin. */
async function signedIn(context: BrowserContext, url: string): Promise<Page> {
  const page = await open(context, `${url}/page`);
  await inPage(page, ({ auth }, input) => auth.register(input).then(() => {}), alice);
  return page;
}

const statusIn = (page: Page) => inPage(page, ({ auth }) => auth.start().then(({ status }) => status), null);

it("a page of the server's own origin is signed in by a cookie that no script sees", { timeout: 60_000 }, async () => {
  await using server = await servePages();
  await using browser = await startBrowser();
  const context = await browser.newContext();
  const page = await signedIn(context, server.url);
  const seen = await page.evaluate(() => [
    document.cookie,
    JSON.stringify(localStorage),
    JSON.stringify(sessionStorage),
  ]);
  expect(seen).toEqual(["", "{}", "{}"]);
  const cookies = await context.cookies();
  expect(cookies).toEqual([
    expect.objectContaining({ name: "countersign", httpOnly: true, sameSite: "Lax", path: "/", domain: "localhost" }),
  ]);
  await page.reload();
  expect(await statusIn(page)).toBe("signed-in");
  const second = await open(context, `${server.url}/page`);
  expect(await statusIn(second)).toBe("signed-in");
  await inPage(page, ({ auth }) => auth.logout(), null);
  await expect
    .poll(() => inPage(second, ({ auth }) => auth.session.status, null), { timeout: 1_000 })
    .toBe("signed-out");
  expect(await context.cookies()).toEqual([]);
});

it("a sign-out that one tab's network lost is not undone by a reload, nor does it end a later sign-in", {
  timeout: 60_000,
}, async () => {
  await using server = await servePages();
  await using browser = await startBrowser();
  const context = await browser.newContext();
  const page = await signedIn(context, server.url);
  await page.route("**/trpc/**", (route) => route.abort("internetdisconnected"));
  const failed = inPage(page, ({ auth }) => auth.logout().then(() => "done", String), null);
  expect(await failed).toContain("TRPCClientError");
  await page.reload();
  expect(await statusIn(page)).toBe("signed-out");
  expect(await context.cookies()).toHaveLength(1);
  // Whichever tab reaches the server first ends the session.
  const second = await open(context, `${server.url}/page`);
  expect(await statusIn(second)).toBe("signed-out");
  await expect.poll(() => context.cookies(), { timeout: 10_000 }).toEqual([]);
  await inPage(second, ({ auth }, input) => auth.login(input).then(() => {}), alice);
  await page.unroute("**/trpc/**");
  await page.reload();
  expect(await statusIn(page)).toBe("signed-in");
  expect(await inPage(page, () => JSON.stringify(localStorage), null)).toBe("{}");
});

it("a sign-out is heard by the other tabs before the server has answered, and with a storage that is full", {
  timeout: 60_000,
}, async () => {
  await using server = await servePages();
  await using browser = await startBrowser();
  const context = await browser.newContext();
  const page = await signedIn(context, server.url);
  const second = await open(context, `${server.url}/page`);
  expect(await statusIn(second)).toBe("signed-in");
  const gate = Promise.withResolvers<void>();
  await context.route("**/auth.logout**", async (route) => {
    await gate.promise;
    await route.continue();
  });
  const leaving = inPage(page, ({ auth }) => auth.logout(), null);
  await expect
    .poll(() => inPage(second, ({ auth }) => auth.session.status, null), { timeout: 1_000 })
    .toBe("signed-out");
  gate.resolve();
  await leaving;
  expect(await context.cookies()).toEqual([]);

  await inPage(page, ({ auth }, input) => auth.login(input).then(() => {}), alice);
  await page.evaluate(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("The quota is exceeded.", "QuotaExceededError");
    };
  });
  await inPage(page, ({ auth }) => auth.logout(), null);
  expect([await statusIn(page), await context.cookies()]).toEqual(["signed-out", []]);
});

it("another site's page changes nothing, by form, by fetch or by link", { timeout: 90_000 }, async () => {
  await using server = await servePages();
  await using browser = await startBrowser();
  const context = await browser.newContext();
  const page = await signedIn(context, server.url);
  // Another host is another site; another port, the same site and another origin.
  await using neighbour = await servePages();
  const elsewhere = {
    "another site": `${server.url.replace("localhost", "127.0.0.1")}/blank`,
    "another origin of the site": `${neighbour.url}/blank`,
  };
  for (const [what, url] of Object.entries(elsewhere)) {
    const evil = await open(context, url);
    const input = { json: { text: "written by another site" } };
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
      await evil.evaluate(
        ({ action, type, text }) => {
          const form = document.createElement("form");
          Object.assign(form, { action, method: "post", enctype: type });
          const field = document.createElement("input");
          Object.assign(field, { name: text, value: "" });
          form.append(field);
          document.body.append(form);
          form.submit();
        },
        { action: `${server.url}/trpc/write`, type, text: JSON.stringify(input) },
      );
      await evil.waitForURL(`${server.url}/trpc/write`);
      expect([what, type, await evil.textContent("body")]).toEqual([
        what,
        type,
        expect.stringContaining("BAD_REQUEST"),
      ]);
      await evil.goto(url);
    }
    const sent = await evil.evaluate(
      async ({ api, body }) => {
        const bodies: RequestInit[] = [
          { method: "POST", mode: "no-cors", credentials: "include", body },
          { method: "POST", credentials: "include", headers: { "content-type": "application/json" }, body },
          { method: "POST", credentials: "include", headers: { "content-type": "text/plain" }, body },
        ];
        return Promise.all(
          bodies.map((init) =>
            fetch(`${api}/trpc/write`, init).then(
              () => "sent",
              () => "blocked",
            ),
          ),
        );
      },
      { api: server.url, body: JSON.stringify(input) },
    );
    // The first and the last are sent, as browsers do not ask before; what comes back is kept from the page.
    expect([what, sent]).toEqual([what, ["blocked", "blocked", "blocked"]]);
    const link = `${server.url}/trpc/write?batch=1&input=${encodeURIComponent(JSON.stringify({ 0: input }))}`;
    await evil.goto(link);
    expect([what, await evil.textContent("body")]).toEqual([what, expect.stringContaining("BAD_REQUEST")]);
    await evil.close();
  }
  expect(server.written).toEqual([]);
  expect(await statusIn(page)).toBe("signed-in");
  await inPage(page, ({ auth }) => auth.trpc.write.mutate({ text: "written by its own page" }).then(() => {}), null);
  expect(server.written).toEqual(["written by its own page"]);
});

it("a page of an allowed origin of the same site signs in, calls and signs out", { timeout: 60_000 }, async () => {
  await using pages = await servePages();
  await using server = await servePages({}, { origins: [pages.url] });
  await using browser = await startBrowser();
  const context = await browser.newContext();
  const page = await open(context, `${pages.url}/page?storage=cookie&api=${encodeURIComponent(server.url)}`);
  await inPage(page, ({ auth }, input) => auth.register(input).then(() => {}), alice);
  expect(await inPage(page, ({ auth }) => auth.trpc.write.mutate({ text: "hello" }), null)).toBe("hello");
  await page.reload();
  expect(await statusIn(page)).toBe("signed-in");
  await inPage(page, ({ auth }) => auth.logout(), null);
  await page.reload();
  expect(await statusIn(page)).toBe("signed-out");
});
