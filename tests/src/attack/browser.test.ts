/** What other websites' pages try in a real browser, beside what browser/cookie.test.ts shows: frames, and pages that are read. */
import { expect, it } from "vitest";
import { servePages } from "../browser/pages.ts";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { openPage, signInAt } from "../support/open-page.ts";
import { signUp } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

await skipWithoutBrowser();

const pages = ["/sign-in", "/sign-up", "/account", "/account/password", "/reauth", "/admin", "/developer", "/docs"];

it("no page of ours is shown in another's frame", { timeout: 90_000 }, async () => {
  await using app = await testApp();
  await signUp(app);
  await using elsewhere = await servePages();
  await using browser = await startBrowser();
  await using tab = await openPage(browser, app, "/sign-in");
  await signInAt(tab.page, "alice");
  const { page } = tab;
  await page.goto(`${elsewhere.url}/blank`);
  for (const path of pages) {
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

it("no page of ours runs a script, or takes a style, that stands in it", async () => {
  await using app = await testApp();
  const signedIn = await app.call(
    "auth.cookie.register",
    { json: { username: "alice", password } },
    { origin: app.url },
  );
  const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? expect.fail("no cookie");
  for (const path of pages) {
    const reply = await app.request(path, { headers: { cookie } });
    const policy = reply.headers.get("content-security-policy") ?? expect.fail(path);
    const directives = new Map(policy.split(";").map((each) => [each.trim().split(" ")[0], each] as const));
    expect(directives.get("default-src") ?? directives.get("script-src"), path).toBeDefined();
    expect(directives.get("script-src") ?? directives.get("default-src"), path).not.toMatch(/unsafe-|\*|http:|data:/);
    expect(policy, path).toMatch(/frame-ancestors 'none'/);
    expect(policy, path).toMatch(/base-uri 'none'/);
    if (path === "/docs") continue;
    expect(policy, path).not.toContain("unsafe-inline");
    expect(policy, path).toContain("require-trusted-types-for 'script'");
    expect(reply.headers.get("cache-control"), path).toContain("no-store");
  }
});
