import { describe, expect, it } from "vitest";
import { failingDatabase } from "../support/failing-database.ts";
import { administrator, forwarded } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

const own = { "sec-fetch-site": "same-origin" };
const alice = { username: "alice", password };

/** A browser: it keeps the cookies that it is given, and sends them back. */
function browser(app: TestApp, headers: Record<string, string> = own) {
  const jar = new Map<string, string>();

  function keep(reply: Response): void {
    for (const line of reply.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
  }

  async function send(path: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const all = { ...headers, ...(cookie && { cookie }), ...(init.headers as Record<string, string>) };
    const reply = await app.request(path, { ...init, headers: all });
    keep(reply);
    return reply;
  }

  return {
    jar,
    send,
    query: (path: string, extra: Record<string, string> = {}) => send(`/trpc/${path}`, { headers: extra }),
    mutate: (path: string, json: unknown = {}, extra: Record<string, string> = {}) =>
      send(`/trpc/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...extra },
        body: JSON.stringify({ json }),
      }),
  };
}

async function reasonOf(reply: Response): Promise<unknown> {
  return ((await reply.json()) as { error: { json: { data: { reason: unknown } } } }).error.json.data.reason;
}

async function signedIn(app: TestApp, headers?: Record<string, string>) {
  const page = browser(app, headers);
  expect((await page.mutate("auth.cookie.register", alice)).status).toBe(200);
  return page;
}

describe("a session in a cookie", () => {
  it("is one that no script can read, and no other site's request brings along", async () => {
    await using app = await testApp();
    const reply = await browser(app).mutate("auth.cookie.register", alice);
    expect(reply.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^countersign=v1\.[\w-]{64}; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
    const body = await reply.text();
    for (const secret of ["accessToken", "refreshToken", "v1."]) expect(body).not.toContain(secret);
  });

  it("is bound to the host, and never sent in the clear, where the server has https", async () => {
    await using app = await testApp({ issuer: "https://auth.example.com" });
    const reply = await browser(app).mutate("auth.cookie.register", alice);
    expect(reply.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-countersign=v1\.[\w-]{64}; .*Path=\/; HttpOnly; Secure; SameSite=Lax$/),
    ]);
    expect(reply.headers.getSetCookie()[0]).not.toMatch(/domain/i);
  });

  it("signs calls in, and GET /users/me", async () => {
    await using app = await testApp();
    const page = await signedIn(app);
    expect((await page.query("read")).status).toBe(200);
    expect((await page.mutate("write", { text: "hello" })).status).toBe(200);
    expect(await (await page.send("/users/me")).json()).toMatchObject({ username: "alice" });
    const [cookie] = [...page.jar].map((pair) => pair.join("="));
    expect((await app.request("/users/me", { method: "HEAD", headers: { cookie: `${cookie}` } })).status).toBe(200);
    const session = await (await page.query("auth.session")).json();
    expect(session).toMatchObject({ result: { data: { json: { user: { username: "alice" } } } } });
  });

  it("costs one look-up in an access token's lifetime, and none between", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const page = await signedIn(app);
    await page.query("read");
    store.statements.length = 0;
    for (let call = 0; call < 20; call += 1) expect((await page.query("read")).status).toBe(200);
    expect(store.statements).toEqual([]);
    await app.clock.advance({ minutes: 16 });
    store.statements.length = 0;
    for (let call = 0; call < 20; call += 1) expect((await page.query("read")).status).toBe(200);
    expect(store.statements.map((sql) => /(?:from|update) "(\w+)"/.exec(sql)?.[1])).toEqual(["sessions", "accounts"]);
  });

  it("is as good as its session: auth.session says until when", async () => {
    await using app = await testApp({ refreshTtlSeconds: 7_200, accessTtlSeconds: 600 });
    const page = await signedIn(app);
    const until = new Date(app.clock.now() + 7_200_000).toISOString();
    expect(await (await page.query("auth.session")).json()).toMatchObject({
      result: { data: { json: { expiresAt: until } } },
    });
  });

  it("slides by use, and ends when it is not used, and in the end all the same", async () => {
    await using app = await testApp({ refreshTtlSeconds: 7_200, sessionTtlSeconds: 36_000 });
    const page = await signedIn(app);
    for (let hours = 0; hours < 9; hours += 1) {
      await app.clock.advance({ hours: 1 });
      expect((await page.query("read")).status).toBe(200);
    }
    await app.clock.advance({ hours: 1, minutes: 16 });
    expect(await reasonOf(await page.query("read"))).toBe("TOKEN_EXPIRED");

    const idle = browser(app);
    await idle.mutate("auth.cookie.login", alice);
    await app.clock.advance({ hours: 2, minutes: 1 });
    expect(await reasonOf(await idle.query("read"))).toBe("TOKEN_EXPIRED");
  });

  it("that is used all the time slides too, where it may lie idle no longer than a token lives", async () => {
    await using app = await testApp({ accessTtlSeconds: 600, refreshTtlSeconds: 600 });
    const page = await signedIn(app);
    for (let minute = 0; minute < 30; minute += 1) {
      await app.clock.advance({ minutes: 1 });
      expect((await page.query("read")).status).toBe(200);
    }
  });

  it("is worth nothing from its absolute end on, whatever a node holds for it", async () => {
    await using app = await testApp({ refreshTtlSeconds: 86_400, sessionTtlSeconds: 86_400, accessTtlSeconds: 3_600 });
    const page = await signedIn(app);
    await app.clock.advance({ hours: 23, minutes: 59 });
    expect((await page.query("read")).status).toBe(200);
    await app.clock.advance({ minutes: 2 });
    expect(await reasonOf(await page.query("read"))).toBe("TOKEN_EXPIRED");
  });

  it("has new roles and a new password's version at once, without the browser noticing", async () => {
    await using app = await testApp();
    const page = await signedIn(app);
    expect(await reasonOf(await page.mutate("tidy"))).toBe("INSUFFICIENT_ROLE");
    const { accounts } = await (await administrator(app)).list({ search: "alice" });
    await (await administrator(app)).setRoles({ id: accounts[0]?.id as never, roles: ["moderator"] });
    expect((await page.mutate("tidy")).status).toBe(200);
    const changed = await page.mutate("auth.changePassword", {
      currentPassword: password,
      newPassword: "another long pass phrase",
    });
    expect(changed.status).toBe(200);
    expect((await page.query("read")).status).toBe(200);
  });

  it("ends at once when the account is disabled", async () => {
    await using app = await testApp();
    const page = await signedIn(app);
    await page.query("read");
    const { accounts } = await (await administrator(app)).list({ search: "alice" });
    await (await administrator(app)).disable({ id: accounts[0]?.id as never });
    expect(await reasonOf(await page.query("read"))).toBe("SESSION_REVOKED");
  });

  it("ends by signing out, which takes the cookie away", async () => {
    await using app = await testApp();
    const page = await signedIn(app);
    const copy = new Map(page.jar);
    expect((await page.mutate("auth.logout")).status).toBe(200);
    expect(page.jar.size).toBe(0);
    const thief = browser(app);
    for (const [name, value] of copy) thief.jar.set(name, value);
    expect(await reasonOf(await thief.query("read"))).toBe("SESSION_REVOKED");
    // What is left of a session that has ended goes too.
    await thief.mutate("auth.logout");
    expect(thief.jar.size).toBe(0);
  });

  it("stays when its end could not be written, and when another session is what ends", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const page = await signedIn(app);
    const cookies = [...page.jar];
    const { refreshToken } = await app.auth.router.createCaller(app.asNobody()).login(alice);
    expect((await page.mutate("auth.logout", { refreshToken })).status).toBe(200);
    store.fails = /update "sessions"/;
    expect(await reasonOf(await page.mutate("auth.logout"))).toBe("UNAVAILABLE");
    store.fails = null;
    expect([...page.jar]).toEqual(cookies);
    expect((await page.query("read")).status).toBe(200);
  });

  it("is not replaced while nobody can say whose it is", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const page = await signedIn(app);
    const cookies = [...page.jar];
    await app.clock.advance({ minutes: 16 });
    store.fails = /from "sessions"/;
    expect(await reasonOf(await page.mutate("auth.cookie.login", alice))).toBe("UNAVAILABLE");
    expect([...page.jar]).toEqual(cookies);
  });

  it("ends when the same browser signs in anew: whoever planted or copied the old cookie has nothing", async () => {
    await using app = await testApp();
    const page = await signedIn(app);
    const [before = ""] = page.jar.values();
    await page.mutate("auth.cookie.login", alice);
    const thief = browser(app);
    thief.jar.set("countersign", before);
    expect(await reasonOf(await thief.query("read"))).toBe("SESSION_REVOKED");
    expect((await page.query("read")).status).toBe(200);
  });

  it("stays when a sign-in fails", async () => {
    await using app = await testApp();
    const page = await signedIn(app);
    await page.mutate("auth.cookie.login", { username: "alice", password: "wrong" });
    expect((await page.query("read")).status).toBe(200);
  });

  it("counts for less than a bearer token", async () => {
    await using app = await testApp();
    const page = await signedIn(app);
    expect(await reasonOf(await page.query("whoami", { authorization: "Bearer nonsense" }))).toBe("TOKEN_INVALID");
  });

  it("acts for nobody but whom the page believes it to be: another tab may have signed in as another", async () => {
    await using app = await testApp();
    const page = await signedIn(app);
    const { db } = await app.auth.start();
    const { id } = await db.selectFrom("accounts").select("id").executeTakeFirstOrThrow();
    expect((await page.query("whoami", { "countersign-account": id })).status).toBe(200);
    const other = crypto.randomUUID();
    expect(await reasonOf(await page.query("whoami", { "countersign-account": other }))).toBe("SESSION_REVOKED");
  });

  it("is in the audit and the list of sessions like any other, with its last use", async () => {
    await using app = await testApp({}, { app: { trustedProxies: ["127.0.0.1"] } });
    const page = await signedIn(app, { ...own, "x-forwarded-for": "203.0.113.9" });
    await app.clock.advance({ hours: 2 });
    await page.query("read");
    const other = forwarded(app, "203.0.113.9");
    await other.login(alice);
    const sessions = await other.trpc.auth.sessions.list.query();
    const kept = sessions.find(({ current }) => !current);
    expect(kept).toMatchObject({ address: "203.0.113.9", lastUsedAt: new Date(app.clock.now()) });
  });
});

describe("a cookie that is not ours", () => {
  it.each([
    ["nothing", ""],
    ["nonsense", "nonsense"],
    ["an empty proof", "v1."],
    ["too long", `v1.${"A".repeat(5_000)}`],
    ["another spelling of base64url", "v1.AAAA=="],
  ])("is refused: %s", async (_, value) => {
    await using app = await testApp();
    const page = browser(app);
    page.jar.set("countersign", value);
    expect(await reasonOf(await page.query("whoami"))).toBe("TOKEN_INVALID");
    expect((await page.query("auth.session")).status).toBe(200);
    expect((await page.query("ping")).status).toBe(200);
    // Nobody is stuck with it: it goes by signing out, and by signing in.
    expect(await reasonOf(await page.mutate("auth.logout"))).toBe("TOKEN_INVALID");
    expect([...page.jar]).toEqual([]);
    page.jar.set("countersign", value);
    expect((await page.mutate("auth.cookie.register", alice)).status).toBe(200);
    expect((await page.query("whoami")).status).toBe(200);
  });

  it("is refused with any character changed", async () => {
    await using app = await testApp();
    const page = await signedIn(app);
    const [value = ""] = page.jar.values();
    for (const index of [3, 10, 25, 30, 50, value.length - 2]) {
      const changed = value.slice(0, index) + (value[index] === "A" ? "B" : "A") + value.slice(index + 1);
      page.jar.set("countersign", changed);
      expect(await reasonOf(await page.query("whoami"))).toBe("TOKEN_INVALID");
    }
  });

  it("is no refresh token, and a refresh token no cookie", async () => {
    await using app = await testApp();
    const page = await signedIn(app);
    const [value = ""] = page.jar.values();
    expect(await reasonOf(await page.mutate("auth.refresh", { refreshToken: value }))).toBe("TOKEN_INVALID");
    const { refreshToken } = await app.auth.router.createCaller(app.asNobody()).login(alice);
    page.jar.set("countersign", refreshToken);
    expect(await reasonOf(await page.query("whoami"))).toBe("TOKEN_INVALID");
  });
});

describe("another website's page", () => {
  const foreign: [string, Record<string, string>][] = [
    ["of another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["of another host of the same site", { "sec-fetch-site": "same-site", origin: "https://evil.localhost" }],
    ["that nobody opened by a link", { "sec-fetch-site": "none" }],
    ["in a browser of old", { origin: "https://evil.example" }],
    ["without an origin", { origin: "null" }],
    ["that hides where it is from", {}],
    ["that calls itself by a part of an allowed origin", { origin: "https://app.example.evil.test" }],
  ];
  const withOrigins = () => testApp({}, { app: { origins: ["https://app.example"] } });

  it.each(foreign)("changes nothing with the cookie: a page %s", async (_, headers) => {
    await using app = await withOrigins();
    const page = await signedIn(app);
    const attacker = browser(app, headers);
    for (const [name, value] of page.jar) attacker.jar.set(name, value);
    for (const [path, input] of [
      ["write", { text: "hello" }],
      ["auth.logout", {}],
      ["auth.sessions.revokeOthers", {}],
      ["auth.changePassword", { currentPassword: password, newPassword: "another long pass phrase" }],
    ] as const) {
      expect([path, await reasonOf(await attacker.mutate(path, input))]).toEqual([path, "ORIGIN_NOT_ALLOWED"]);
    }
    expect(attacker.jar).toEqual(page.jar);
    expect((await page.query("read")).status).toBe(200);
  });

  it.each(foreign)("signs nobody in, not even as the attacker: a page %s", async (_, headers) => {
    await using app = await withOrigins();
    await signedIn(app);
    const victim = browser(app, headers);
    for (const path of ["auth.cookie.login", "auth.cookie.register"]) {
      expect(
        await reasonOf(await victim.mutate(path, { ...alice, ...(path.endsWith("register") && { username: "eve" }) })),
      ).toBe("ORIGIN_NOT_ALLOWED");
    }
    expect(victim.jar.size).toBe(0);
  });

  it.each([
    ["GET with ?batch", "/trpc/write?batch=1&input=%7B%220%22%3A%7B%22json%22%3A%7B%22text%22%3A%22x%22%7D%7D%7D", {}],
    [
      "a form",
      "/trpc/write",
      { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "text=x" },
    ],
    [
      "a form of plain text",
      "/trpc/write",
      { method: "POST", headers: { "content-type": "text/plain" }, body: '{"json":{"text":"x"}}' },
    ],
    [
      "a form of parts",
      "/trpc/write",
      { method: "POST", headers: { "content-type": "multipart/form-data; boundary=x" }, body: "--x--" },
    ],
    ["another method in a header", "/trpc/write", { method: "GET", headers: { "x-http-method-override": "POST" } }],
  ] as [string, string, RequestInit][])("cannot dress a change up as %s", async (_, path, init) => {
    await using app = await testApp();
    const page = await signedIn(app);
    expect((await page.send(path, init)).status).toBeGreaterThanOrEqual(400);
  });

  it("of http, on the host of a server with https, is another website's in a browser of old", async () => {
    await using app = await testApp({ issuer: "https://auth.example.com" });
    const page = await signedIn(app);
    const insecure = browser(app, { origin: `http://${new URL(app.url).host}` });
    for (const [name, value] of page.jar) insecure.jar.set(name, value);
    expect(await reasonOf(await insecure.mutate("write", { text: "x" }))).toBe("ORIGIN_NOT_ALLOWED");
    for (const origin of ["https://auth.example.com", `https://${new URL(app.url).host}`]) {
      const own = browser(app, { origin });
      for (const [name, value] of page.jar) own.jar.set(name, value);
      expect([origin, (await own.mutate("write", { text: "x" })).status]).toEqual([origin, 200]);
    }
  });

  it("cannot dress a change up as a WebSocket, whose first request is a GET", async () => {
    await using app = await testApp();
    const page = await signedIn(app);
    const cookie = [...page.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { cookie, origin: "https://evil.example", upgrade: "websocket" };
    const { auth } = await app.auth.createContext({ req: new Request(app.url, { headers }) });
    await expect(auth.principal()).rejects.toMatchObject({ reason: "ORIGIN_NOT_ALLOWED" });
  });

  it("may change things where its origin is allowed", async () => {
    await using app = await withOrigins();
    const page = await signedIn(app, { "sec-fetch-site": "same-site", origin: "https://app.example" });
    expect((await page.mutate("write", { text: "hello" })).status).toBe(200);
  });

  it("of our own is known without Sec-Fetch-Site, as in browsers of old and without https", async () => {
    await using app = await testApp();
    const page = await signedIn(app, { origin: app.url });
    expect((await page.mutate("write", { text: "hello" })).status).toBe(200);
  });
});

describe("where no cookie can be set", () => {
  it("a sign-in by cookie is refused, before it does anything", async () => {
    await using app = await testApp();
    const streamed = await browser(app).send("/trpc/auth.cookie.register?batch=1", {
      method: "POST",
      headers: { "content-type": "application/json", "trpc-accept": "application/jsonl" },
      body: JSON.stringify({ 0: { json: alice } }),
    });
    expect(await streamed.text()).toContain("A cookie cannot be set here");
    await expect(app.auth.router.createCaller(app.asNobody()).cookie.register(alice)).rejects.toMatchObject({
      cause: { reason: "BAD_REQUEST" },
    });
    const { db } = await app.auth.start();
    expect(await db.selectFrom("accounts").selectAll().execute()).toEqual([]);
  });

  it("a sign-out by cookie is refused, before it ends anything", async () => {
    await using app = await testApp();
    const page = await signedIn(app);
    const streamed = await page.send("/trpc/auth.logout?batch=1", {
      method: "POST",
      headers: { "content-type": "application/json", "trpc-accept": "application/jsonl" },
      body: JSON.stringify({ 0: { json: {} } }),
    });
    expect(await streamed.text()).toContain("A cookie cannot be set here");
    expect((await page.query("read")).status).toBe(200);
  });
});
