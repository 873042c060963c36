/** What may come at the same time as a sign-in by cookie: calls, news of other tabs, losses, and other sign-ins. */
import { createAuthClient } from "@countersign/client";
import { describe, expect, it } from "vitest";
import { type CookieJar, cookieJar } from "../support/cookie-jar.ts";
import { expectReason } from "../support/expect-reason.ts";
import { failingDatabase } from "../support/failing-database.ts";
import { administrator } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import type { TestRouter } from "../support/test-router.ts";

const alice = { username: "alice", password };
const bob = { username: "bob", password };

function tab(app: TestApp, { fetch }: CookieJar, options: Partial<Parameters<typeof createAuthClient>[0]> = {}) {
  const client = createAuthClient<TestRouter>({ url: `${app.url}/trpc`, storage: "cookie", fetch, ...options });
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

/** What another tab says. */
function tellTabs(app: TestApp): void {
  const channel = new BroadcastChannel(`countersign ${app.url}/trpc`);
  channel.postMessage(undefined);
  channel.close();
}

const nameIn = ({ session }: { session: ReturnType<typeof tab>["session"] }) =>
  session.status === "signed-in" ? session.user.username : null;

describe("a sign-in by cookie", () => {
  it("is not ended by a call of the same person from before: once a step-up signed people out", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    using client = tab(app, jar);
    await client.register(alice);
    const events: string[] = [];
    client.subscribe(({ type }) => events.push(type));
    const read = jar.hold("read", "request");
    const early = client.trpc.read.query();
    await read.arrived;
    await client.login(alice);
    read.release();
    expect(await early).toBe("read");
    expect(events).not.toContain("signed-out");
    expect(client.session.status).toBe("signed-in");
  });

  it("twice at once, as by a double click, leaves the person signed in", async () => {
    await using app = await testApp();
    await app.client().register(alice);
    const jar = cookieJar();
    using client = tab(app, jar);
    await client.start();
    const [first, second] = await Promise.allSettled([client.login(alice), client.login(alice)]);
    expect([first?.status, second?.status]).toEqual(["rejected", "fulfilled"]);
    expect(await client.trpc.read.query()).toBe("read");
    expect(nameIn(client)).toBe("alice");
  });

  it("before the sign-out of another was answered keeps its cookie", async () => {
    await using app = await testApp();
    await app.client().register(bob);
    const jar = cookieJar();
    using client = tab(app, jar);
    await client.register(alice);
    const logout = jar.hold("auth.logout", "reply");
    const leaving = client.logout();
    await logout.arrived;
    const entering = client.login(bob);
    logout.release();
    await Promise.all([leaving, entering]);
    expect(await client.trpc.whoami.query()).toMatchObject({ username: "bob" });
    expect(nameIn(client)).toBe("bob");
  });

  it("whose reply was lost is tried again, and nobody is signed out", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    using client = tab(app, jar);
    await client.register(alice);
    for (const loss of ["before the cookie", "after the cookie"] as const) {
      jar.hold("auth.cookie.login", "reply", loss).release();
      await client.login(alice);
      expect(await client.trpc.read.query()).toBe("read");
    }
  });

  it("that failed after its cookie was set is found out", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    using client = tab(app, jar);
    await client.register(alice);
    jar.hold("auth.cookie.register", "reply", "after the cookie").release();
    await expect(client.register(bob)).rejects.toThrow();
    await expect.poll(() => nameIn(client)).toBe("bob");
    expect(await client.trpc.whoami.query()).toMatchObject({ username: "bob" });
  });

  it("that the server failed sets no cookie", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    await app.client().register(bob);
    const jar = cookieJar();
    using client = tab(app, jar);
    await client.register(alice);
    const before = new Map(jar.cookies);
    store.fails = /^update "sessions"/;
    await expectReason(client.login(bob), "UNAVAILABLE");
    store.fails = null;
    expect(jar.cookies).toEqual(before);
    expect(await client.trpc.whoami.query()).toMatchObject({ username: "alice" });
  });

  it("that failed while the client was starting does not leave it so", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    const ask = jar.hold("auth.session", "reply");
    using client = tab(app, jar);
    await ask.arrived;
    await expectReason(client.login({ username: "nobody", password: "wrong" }), "INVALID_CREDENTIALS");
    ask.release();
    expect(await client.start()).toEqual({ status: "signed-out", reason: null });
  });
});

describe("a sign-out by cookie", () => {
  it("that the network lost is not undone by news, and reaches the server first", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    using client = tab(app, jar);
    await client.start();
    await client.register(alice);
    jar.isDown = true;
    await expect(client.logout()).rejects.toThrow();
    jar.isDown = false;
    jar.sent.length = 0;
    tellTabs(app);
    await expect.poll(() => jar.sent).toContain("auth.session");
    expect(jar.sent[0]).toBe("auth.logout");
    expect([client.session.status, jar.cookies.size]).toEqual(["signed-out", 0]);
  });

  it("that the network lost does not end a sign-in that came before it was made up for", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    using client = tab(app, jar);
    await client.register(alice);
    jar.isDown = true;
    await expect(client.logout()).rejects.toThrow();
    jar.isDown = false;
    const login = jar.hold("auth.cookie.login", "reply");
    const entering = client.login(alice);
    await login.arrived;
    jar.sent.length = 0;
    tellTabs(app);
    login.release();
    await entering;
    await expect.poll(() => jar.sent).toContain("auth.session");
    expect([client.session.status, jar.sent]).toEqual(["signed-in", ["auth.session"]]);
    expect(await client.trpc.whoami.query()).toMatchObject({ username: "alice" });
  });

  it("that the server failed lets no call through as the person's", { timeout: 30_000 }, async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const jar = cookieJar();
    using client = tab(app, jar);
    await client.register(alice);
    store.fails = /^update "sessions"/;
    await expect(client.logout()).rejects.toThrow();
    await expect(client.trpc.whoami.query()).rejects.toThrow();
    store.fails = null;
    await expectReason(client.trpc.whoami.query(), "TOKEN_MISSING");
    expect(jar.cookies.size).toBe(0);
  });

  it("is heard by the other tabs before the server answers, also from a page that is starting", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    using first = tab(app, jar);
    await first.register(alice);
    const question = jar.hold("auth.session", "reply");
    using second = tab(app, jar);
    await question.arrived;
    await second.logout();
    await expect.poll(() => first.session.status).toBe("signed-out");
    question.release();
    expect(await second.start()).toMatchObject({ status: "signed-out" });
  });

  it("is not undone by news that comes meanwhile", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    using client = tab(app, jar);
    await client.start();
    await client.register(alice);
    const logout = jar.hold("auth.logout", "request");
    const leaving = client.logout();
    await logout.arrived;
    jar.sent.length = 0;
    tellTabs(app);
    logout.release();
    await leaving;
    await expect.poll(() => jar.sent).toContain("auth.session");
    expect([client.session.status, jar.cookies.size]).toEqual(["signed-out", 0]);
  });

  it("that failed on the server keeps the cookie, so that it can be tried again", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const jar = cookieJar();
    using client = tab(app, jar);
    await client.register(alice);
    const cookie = [...jar.cookies].map(([name, value]) => `${name}=${value}`).join();
    store.fails = /^update "sessions"/;
    await expect(client.logout()).rejects.toThrow();
    store.fails = null;
    await client.logout();
    expect((await app.request("/users/me", { headers: { cookie } })).status).toBe(401);
  });

  it("leaves no question for a password behind", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    let asked = 0;
    using client = tab(app, jar, {
      onStepUp: async () => {
        asked += 1;
      },
    });
    await client.register(alice);
    await app.clock.advance({ minutes: 6 });
    const call = jar.hold("dangerous", "reply");
    const refused = expectReason(client.trpc.dangerous.mutate(), "FRESH_LOGIN_REQUIRED");
    await call.arrived;
    await client.logout();
    call.release();
    await refused;
    expect(asked).toBe(0);
  });
});

describe("another tab", () => {
  it("that signs in twice is heard twice", async () => {
    await using app = await testApp();
    await app.client().register(alice);
    await app.client().register(bob);
    const jar = cookieJar();
    using one = tab(app, jar);
    await one.start();
    using two = tab(app, jar, { session: null });
    two.subscribe(() => {});
    const ask = jar.hold("auth.session", "reply");
    await two.login(alice);
    await ask.arrived;
    await two.login(bob);
    ask.release();
    await expect.poll(() => nameIn(one)).toBe("bob");
  });

  it("that signed in as another makes no call of this one theirs", async () => {
    await using app = await testApp();
    await app.client().register(bob);
    const jar = cookieJar();
    using one = tab(app, jar);
    await one.register(alice);
    const session = await one.trpc.auth.session.query();
    // Asleep, say: the news has not come.
    using two = tab(app, jar, { session });
    await one.login(bob);
    await expectReason(two.trpc.write.mutate({ text: "alice's" }), "SESSION_REVOKED");
    expect(nameIn(two)).toBe("bob");
    expect(await two.trpc.whoami.query()).toMatchObject({ username: "bob" });
  });

  it("is not heard by a client that was closed while it started", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    const client = tab(app, jar);
    client.close();
    await client.start();
    using other = tab(app, jar);
    await other.start();
    jar.sent.length = 0;
    tellTabs(app);
    await expect.poll(() => jar.sent.length).toBeGreaterThan(0);
    expect(jar.sent).toEqual(["auth.session"]);
  });
});

it("a change of roles while the cookie is exchanged signs nobody out", async () => {
  let during: (() => Promise<unknown>) | null = null;
  await using app = await testApp({
    async claims({ username }: { username: string }) {
      const work = username === "alice" ? during : null;
      if (work !== null) during = null;
      await work?.();
      return { shoutedName: username.toUpperCase() };
    },
  });
  const jar = cookieJar();
  using client = tab(app, jar);
  const { id } = await client.register(alice);
  await app.clock.advance({ minutes: 16 });
  during = async () => (await administrator(app)).setRoles({ id, roles: ["moderator"] });
  expect(await client.trpc.read.query()).toBe("read");
  expect(client.session.status).toBe("signed-in");
});

it("the session of a cookie is good for as long as it is, also after a reload", async () => {
  await using app = await testApp();
  const jar = cookieJar();
  using client = tab(app, jar);
  await client.register(alice);
  await app.clock.advance({ minutes: 14 });
  using reloaded = tab(app, jar);
  expect(await reloaded.start()).toEqual(client.session);
});
