/** What the server says to whoever asks for a page, before any script. */
import { createApp } from "@countersign/server";
import { initTRPC } from "@trpc/server";
import { describe, expect, it, test } from "vitest";
import { failingDatabase } from "../support/failing-database.ts";
import { pageIn, post, signInByForm } from "../support/pages-without-scripts.ts";
import { signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import { testRouter } from "../support/test-router.ts";

const textOf = async (reply: Response) => (await reply.text()).replaceAll(/<[^>]+>/g, " ");

describe("/reauth", () => {
  it("asks whoever is signed in for their password, and makes the sign-in a recent one", async () => {
    await using app = await testApp();
    await signUp(app);
    const before = await signInByForm(app);
    await app.clock.advance({ minutes: 6 });
    const change = (headers: { cookie: string }) =>
      app.request("/pages/trpc/account.update", {
        method: "POST",
        headers: { ...headers, origin: app.url, "content-type": "application/json" },
        body: JSON.stringify({ json: { email: "alice@example.com" } }),
      });
    expect((await change(before)).status).toBe(403);

    const page = await app.request("/reauth?for=profile&return_to=/account/profile", { headers: before });
    const text = await textOf(page);
    expect(text).toContain("Before you change how you sign in");
    expect(text).toContain("alice");
    const wrong = await post(app, "/reauth", { password: "wrong", purpose: "profile" }, before);
    expect([wrong.status, await textOf(wrong)]).toEqual([401, expect.stringContaining("This is not your password.")]);
    const right = await post(app, "/reauth", { password, return_to: "/account/profile" }, before);
    expect([right.status, right.headers.get("location")]).toEqual([303, "/account/profile"]);
    const after = { cookie: right.headers.get("set-cookie")?.split(";")[0] ?? "" };
    expect((await change(after)).status).toBe(200);
    // The session from before was replaced.
    expect((await app.request("/account", { headers: before, redirect: "manual" })).status).toBe(303);
  });

  it("takes nobody else's password, whatever the form says", async () => {
    await using app = await testApp();
    await signUp(app);
    await signUp(app, "bob");
    const alice = await signInByForm(app);
    const { db } = await app.auth.start();
    await db.updateTable("accounts").set({ password_hash: null }).where("username", "=", "alice").execute();
    expect((await post(app, "/reauth", { username: "bob", password }, alice)).status).toBe(401);
  });

  it("leads to the sign-in where nobody is signed in, and back", async () => {
    await using app = await testApp();
    const reply = await app.request("/reauth?return_to=/account/profile", { redirect: "manual" });
    expect([reply.status, reply.headers.get("location")]).toEqual([303, "/sign-in?return_to=%2Faccount%2Fprofile"]);
    expect((await post(app, "/reauth", { password })).status).toBe(401);
  });
});

test("another website chooses no language for anybody", async () => {
  await using app = await testApp();
  for (const headers of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site", origin: "null" }]) {
    const reply = await post(app, "/preferences", { language: "de" }, headers);
    expect([reply.status, reply.headers.get("set-cookie")]).toEqual([403, null]);
    expect(await textOf(reply)).toContain("the page of another website");
  }
});

test.each([
  [{ language: "de" }, ["countersign-language=de"]],
  [{ language: "pt-BR" }, ["countersign-language=pt-BR"]],
  [{ language: "de; Domain=evil.example" }, []],
  [{ language: "a de" }, []],
  [{ scheme: "dark" }, ["countersign-scheme=dark"]],
  [{ scheme: "light" }, ["countersign-scheme=light"]],
  [{ scheme: "pink" }, ["countersign-scheme="]],
  [{}, []],
])("of what a form chooses, %j, what there may be is kept", async (fields, kept) => {
  await using app = await testApp();
  const reply = await post(app, "/preferences", fields);
  expect(reply.status).toBe(303);
  expect(reply.headers.getSetCookie().map((line) => line.split(";")[0])).toEqual(kept);
});

test.each([
  ["/account", 200],
  ["/account/sessions", 200],
  ["/admin", 403],
  ["/admin/users", 403],
  ["/developer", 403],
])("%s is answered with %i where the role is missing, and to an administrator with 200", async (path, status) => {
  await using app = await testApp();
  await signUp(app);
  const statusFor = async (headers: { cookie: string }) =>
    (await app.request(path, { headers, redirect: "manual" })).status;
  expect(await statusFor(await signInByForm(app))).toBe(status);
  const { db } = await app.auth.start();
  await db.updateTable("accounts").set({ roles: '["admin"]', version: 2 }).execute();
  expect(await statusFor(await signInByForm(app))).toBe(200);
});

test("whoever is signed in no more is led to the sign-in, and back to the whole address", async () => {
  await using app = await testApp();
  const reply = await app.request("/account/sessions?page=2", { redirect: "manual" });
  expect([reply.status, reply.headers.get("location")]).toEqual([
    303,
    "/sign-in?return_to=%2Faccount%2Fsessions%3Fpage%3D2",
  ]);
});

const pageAt = async (app: TestApp, path: string, headers: Record<string, string> = {}) =>
  pageIn(await app.request(path, { headers }));

test("the sign-in offers a sign-up where there is one", async () => {
  const own = { authenticate: async () => null, findAccount: async () => null };
  const offers: unknown[] = [];
  for (const options of [{}, { registration: "closed" as const }, own]) {
    await using app = await testApp(options);
    offers.push((await pageAt(app, "/sign-in")).isRegistrationOpen);
  }
  expect(offers).toEqual([true, false, false]);
});

test("a sign-in that was refused still leads to where it was asked for", async () => {
  await using app = await testApp();
  const page = await pageIn(await post(app, "/sign-in", { username: "alice", password: "wrong", return_to: "/notes" }));
  expect(page).toMatchObject({ returnTo: "/notes", values: { username: "alice" } });
  expect(JSON.stringify(page)).not.toContain("wrong");
});

test("a page has the language that was chosen, else one that the browser asks for", async () => {
  await using app = await testApp({}, { app: { pages: { name: "Notes", logo: "/logo.svg" } } });
  const languageOf = async (chosen: string, asked: string) => {
    const headers = { cookie: `countersign-language=${chosen}`, "accept-language": asked };
    return (await pageAt(app, "/sign-in", headers)).language;
  };
  expect([await languageOf("de", "en"), await languageOf("en", "de"), await languageOf("xx", "de")]).toEqual([
    "de",
    "en",
    "de",
  ]);
  expect((await pageAt(app, "/sign-in")).brand).toEqual({ name: "Notes", logo: "/logo.svg" });
});

test("a confirmation for what we do not know says nothing of what it is for", async () => {
  await using app = await testApp();
  await signUp(app);
  const headers = await signInByForm(app);
  const purposeOf = async (path: string) => (await pageAt(app, path, headers)).purpose;
  expect(await purposeOf("/reauth?for=profile")).toBe("profile");
  expect(await purposeOf("/reauth?for=your%20prize")).toBeNull();
});

describe("what pages load", () => {
  it("is kept for as long as its name says, compressed", async () => {
    await using app = await testApp();
    const script = /<script type="module" src="([^"]+)"/.exec(await (await app.request("/sign-in")).text())?.[1];
    const reply = await app.request(script ?? "", { headers: { "accept-encoding": "br" } });
    expect([reply.status, reply.headers.get("content-type")]).toEqual([200, expect.stringContaining("javascript")]);
    expect(reply.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(reply.headers.get("vary")).toMatch(/accept-encoding/i);
    const icon = await app.request("/pages/icon.svg");
    expect([icon.status, icon.headers.get("cache-control")]).toEqual([200, "public, max-age=3600"]);
  });

  it.each([
    "/pages/theme.css",
    "/pages/nothing.js",
    "/pages/..%2fserver/render.js",
    "/pages/assets%2f..%2f..%2fserver%2frender.js",
  ])("is nothing else: %s", async (path) => {
    await using app = await testApp();
    expect((await app.request(path)).status).toBe(404);
  });
});

test("a password manager finds where a password is changed", async () => {
  await using app = await testApp();
  const reply = await app.request("/.well-known/change-password", { redirect: "manual" });
  expect([reply.status, reply.headers.get("location")]).toEqual([302, "/account/password"]);
});

test("an application that has pages of its own has none of ours", async () => {
  await using app = await testApp();
  const alone = createApp(app.auth, { pages: false });
  for (const path of ["/sign-in", "/account", "/pages/trpc/auth.session"]) {
    expect((await alone.request(path)).status).toBe(404);
  }
});

describe("a page that cannot be made", () => {
  it("says so on a page, in the language of whoever asked, and when to come back", async () => {
    const failing = failingDatabase();
    await using app = await testApp({}, { database: failing.database });
    await signUp(app);
    const alice = await signInByForm(app);
    failing.fails = /from "sessions"/;
    const reply = await app.request("/account", { headers: { ...alice, "accept-language": "de" }, redirect: "manual" });
    expect([reply.status, reply.headers.get("retry-after")]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    expect(reply.headers.get("content-type")).toContain("text/html");
    expect(reply.headers.get("content-security-policy")).toContain("default-src 'none'");
    const text = await textOf(reply);
    expect(text).toContain("Der Server kann im Augenblick nicht antworten.");
    expect(text).toContain("Noch einmal versuchen");
  });
});

describe("the pages' own procedures", () => {
  it("are there whatever an application mounts", async () => {
    await using app = await testApp();
    const t = initTRPC.create();
    const alone = createApp(app.auth, { router: t.router({}) });
    const reply = await alone.request("/pages/trpc/auth.session");
    expect(await reply.json()).toEqual({ result: { data: { json: null } } });
    expect((await alone.request("/trpc/auth.session")).status).toBe(404);
  });

  it("answer no page of another origin, also none that may call the application's", async () => {
    await using app = await testApp({}, { app: { origins: ["https://app.example"] } });
    await signUp(app);
    const alice = await signInByForm(app);
    const ask = (headers: Record<string, string>) =>
      app.request("/pages/trpc/account.get", { headers: { ...alice, ...headers } });
    for (const headers of [
      { origin: "https://app.example" },
      { origin: "null" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "cross-site" },
    ]) {
      expect((await ask(headers)).status).toBe(403);
    }
    for (const headers of [
      {},
      { origin: app.url },
      { "sec-fetch-site": "same-origin" },
      { "sec-fetch-site": "none" },
    ]) {
      expect((await ask(headers)).status).toBe(200);
    }
  });

  it("tell administrators what the application's procedures demand, and nobody else", async () => {
    await using app = await testApp();
    await signUp(app);
    const ask = (session: { cookie: string }) => app.request("/pages/trpc/developer", { headers: session });
    expect((await ask(await signInByForm(app))).status).toBe(403);
    const { db } = await app.auth.start();
    await db.updateTable("accounts").set({ roles: '["admin"]', version: 2 }).execute();
    const { result } = await (await ask(await signInByForm(app))).json();
    expect(result.data.json).toMatchObject({ issuer: app.auth.options.issuer, problem: null });
    const paths = result.data.json.access.map(({ path }: { path: string }) => path);
    expect(paths).toEqual(expect.arrayContaining(Object.keys(testRouter._def.procedures)));
  });
});

describe("the theme", () => {
  it("is the last style sheet, of two colours that can be read", async () => {
    await using app = await testApp({}, { app: { pages: { accent: { light: "#0b6e4f", dark: "#7ddfb5" } } } });
    const page = await (await app.request("/sign-in")).text();
    expect([...page.matchAll(/<link rel="stylesheet" href="([^"]+)"/g)].at(-1)?.[1]).toBe("/pages/theme.css");
    const theme = await app.request("/pages/theme.css");
    expect([theme.status, theme.headers.get("content-type")]).toEqual([200, expect.stringContaining("text/css")]);
    expect(await theme.text()).toContain("--accent:light-dark(#0b6e4f,#7ddfb5)");
  });

  it("is refused when the app is made", async () => {
    await using app = await testApp();
    const pages = { accent: { light: "#ffff00", dark: "#ffffff" } };
    expect(() => createApp(app.auth, { pages })).toThrow('"accent.light" cannot be read');
  });
});
