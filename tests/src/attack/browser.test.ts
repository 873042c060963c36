/** What other websites' pages try in a real browser, beside what browser/cookie.test.ts shows: frames, and pages that are read. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { servePages } from "../browser/pages.ts";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { failingDatabase } from "../support/failing-database.ts";
import { openPage, signInAt } from "../support/open-page.ts";
import { signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

await skipWithoutBrowser();

const opened = ["/sign-in", "/sign-up", "/reauth", "/account", "/account/password", "/account/no-such-page"];

it("no page of ours is shown in another's frame", { timeout: 90_000 }, async () => {
  await using app = await testApp();
  await signUp(app);
  await using elsewhere = await servePages();
  await using browser = await startBrowser();
  await using tab = await openPage(browser, app, "/sign-in");
  await signInAt(tab.page, "alice");
  const { page } = tab;
  await page.goto(`${elsewhere.url}/blank`);
  for (const path of [...opened, "/admin", "/developer", "/docs", "/nothing", "/trpc/ping"]) {
    const said = page.waitForEvent("console", (message) => /frame|X-Frame-Options/i.test(message.text()));
    await page.evaluate((src) => {
      const frame = document.createElement("iframe");
      frame.src = src;
      document.body.append(frame);
    }, `${app.url}${path}`);
    expect((await said).text(), path).toMatch(/frame-ancestors 'none'|X-Frame-Options/);
  }
  for (const frame of page.frames().slice(1)) {
    const url = frame.url();
    expect(url.startsWith("chrome-error:") || url === "about:blank" || url === "", url).toBe(true);
  }
});

describe("a document of ours", () => {
  const store = failingDatabase();
  let app: TestApp;
  let signedIn: { readonly cookie: string };
  /** Of what was answered before there was an account. */
  let setUp: Response;
  beforeAll(async () => {
    app = await testApp({}, { database: store.database });
    setUp = await app.request("/setup");
    const json = { username: "alice", password };
    const reply = await app.call("auth.cookie.register", { json }, { origin: app.url });
    signedIn = { cookie: reply.headers.get("set-cookie")?.split(";")[0] ?? expect.fail("no cookie") };
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const get = (path: string) => app.request(path, { headers: signedIn, redirect: "manual" });
  const post = (path: string, origin: string) =>
    app.request(path, { method: "POST", headers: { origin }, body: new URLSearchParams({ username: "alice" }) });

  async function getOnFailure(path: string): Promise<Response> {
    store.fails = /from "sessions"/;
    try {
      return await get(path);
    } finally {
      store.fails = null;
    }
  }

  it.each<readonly [what: string, status: number, ask: () => Promise<Response> | Response]>([
    ...[...opened, "/docs"].map((path) => [path, 200, () => get(path)] as const),
    ["/setup", 200, () => setUp],
    ["/admin", 403, () => get("/admin")],
    ["/developer", 403, () => get("/developer")],
    ["a form that is refused", 400, () => post("/sign-in", app.url)],
    ["another website's form", 403, () => post("/sign-in", "https://evil.example")],
    ["a problem that is another website's", 403, () => post("/preferences", "https://evil.example")],
    ["a problem with the database", 503, () => getOnFailure("/account")],
  ])("runs no script, and takes no style, that stands in it: %s", async (what, status, ask) => {
    const reply = await ask();
    expect(reply.status).toBe(status);
    const policy = reply.headers.get("content-security-policy") ?? expect.fail("no policy");
    const directives = new Map(policy.split("; ").map((each) => [each.split(" ")[0], each.split(" ").slice(1)]));
    for (const [name, sources] of directives) {
      const elsewhere = sources.filter((source) => !["'none'", "'self'", "'script'"].includes(source));
      expect([name, elsewhere]).toEqual([name, name === "img-src" ? ["data:"] : []]);
    }
    for (const name of ["default-src", "base-uri", "frame-ancestors"]) expect(directives.get(name)).toEqual(["'none'"]);
    // A form may go elsewhere where nothing says that it may not: the default is not for it.
    expect(directives.has("form-action")).toBe(true);
    // Swagger UI makes HTML of texts. It is the same for everyone, so that it may be kept.
    const isOurs = what !== "/docs";
    expect(directives.get("require-trusted-types-for")).toEqual(isOurs ? ["'script'"] : undefined);
    expect(directives.get("trusted-types")).toEqual(isOurs ? ["'none'"] : undefined);
    expect(reply.headers.get("cache-control")).toBe(isOurs ? "no-store" : "no-cache");
  });

  it.each(["/nothing", "/trpc/nothing", "/pages/nothing"])("is not what %s answers with", async (path) => {
    const { status, headers } = await get(path);
    expect([status, headers.get("content-type"), headers.get("x-content-type-options")]).toEqual([
      404,
      "application/json",
      "nosniff",
    ]);
  });
});
