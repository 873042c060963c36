/** What other websites' pages try in a real browser, beside what browser/cookie.test.ts shows: frames, cookies that they plant, and pages that are read. */
import { once } from "node:events";
import { connect } from "node:net";
import { createServer } from "node:tls";
import { generate } from "selfsigned";
import { expect, it } from "vitest";
import { servePages } from "../browser/pages.ts";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { openPage, signInAt } from "../support/open-page.ts";
import { signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

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

/** The app behind TLS, as a browser of today would meet it. */
async function secured(app: TestApp) {
  const made = await generate([{ name: "commonName", value: "localhost" }]);
  const { port } = new URL(app.url);
  const server = createServer({ key: made.private, cert: made.cert }, (socket) => {
    const upstream = connect(Number(port), "127.0.0.1");
    socket.pipe(upstream).pipe(socket);
    for (const end of [socket, upstream]) end.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

it("a cookie that a page of a subdomain plants signs nobody in", { timeout: 90_000 }, async () => {
  await using app = await testApp({ issuer: "https://localhost" });
  await signUp(app, "alice");
  await signUp(app, "mallory");
  await using tls = await secured(app);
  await using browser = await startBrowser();
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-US" });
  const page = await context.newPage();
  // The attacker's own session, as its cookie has it.
  const mallory = await app.call(
    "auth.cookie.login",
    { json: { username: "mallory", password } },
    { origin: "https://localhost" },
  );
  const [planted = ""] = mallory.headers.get("set-cookie")?.split(";") ?? [];
  expect(planted).toMatch(/^__Host-countersign=/);
  const value = planted.split("=").slice(1).join("=");

  const own = `https://localhost:${tls.port}`;
  await page.goto(`https://evil.localhost:${tls.port}/sign-in`);
  const left = await page.evaluate((value) => {
    for (const name of ["__Host-countersign", "countersign", " __Host-countersign", "__host-countersign"]) {
      for (const attributes of ["path=/; secure", "path=/trpc; secure", "path=/pages", "path=/"]) {
        for (const domain of ["; domain=localhost", "; domain=.localhost", ""]) {
          // biome-ignore lint/suspicious/noDocumentCookie: what an attacker's page would do
          document.cookie = `${name}=${value}; ${attributes}${domain}`;
        }
      }
    }
    return document.cookie;
  }, value);
  expect(left).toContain(value);
  await page.goto(`${own}/account`);
  expect(new URL(page.url()).pathname).toBe("/sign-in");

  await signInAt(page, "alice");
  await page.getByText("This device").waitFor();
  expect(await page.textContent("body")).not.toContain("mallory");
});
