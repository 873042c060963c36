import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { failingDatabase } from "../support/failing-database.ts";
import { forwarded, signIn, signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

describe("register", () => {
  it("makes an account and signs it in", async () => {
    await using app = await testApp();
    const client = app.client();
    const user = await client.register({ username: "Alice", password, email: "Alice@example.com" });
    expect(user).toMatchObject({ username: "Alice", email: "Alice@example.com", roles: [] });
    expect(client.session).toMatchObject({
      status: "signed-in",
      user: { id: user.id },
      scopes: ["notes:read", "notes:write"],
    });
    expect(await client.trpc.auth.me.query()).toEqual(user);
  });

  it.each(["alice", "ALICE", "Ａlice", "ﬀ".replace("ﬀ", "alice")])(
    "refuses %j while Alice is there",
    async (username) => {
      await using app = await testApp();
      await app.client().register({ username: "Alice", password });
      await expectReason(app.client().register({ username, password }), "USERNAME_TAKEN");
    },
  );

  it("refuses an e-mail address in another case", async () => {
    await using app = await testApp();
    await app.client().register({ username: "alice", password, email: "a@example.com" });
    await expectReason(app.client().register({ username: "bob", password, email: "A@EXAMPLE.com" }), "EMAIL_TAKEN");
  });

  it("refuses strangers when registration is closed", async () => {
    await using app = await testApp({ registration: "closed" });
    await expectReason(app.client().register({ username: "alice", password }), "REGISTRATION_CLOSED");
  });

  it.each([
    ["short77", "too_short"],
    ["password123", "too_common"],
    ["PASSWORD123", "too_common"],
    ["alexandra", "is_username"],
    ["Alexandra123!", "is_username"],
    ["Countersign2026", "is_product_name"],
  ])("refuses the password %j: %s", async (weak, rule) => {
    await using app = await testApp();
    const details = await expectReason(
      app.client().register({ username: "alexandra", password: weak }),
      "WEAK_PASSWORD",
    );
    expect(details).toEqual({ rule, field: "password" });
  });

  it("takes any Unicode, and one spelling for what looks the same", async () => {
    await using app = await testApp();
    await app.client().register({ username: "日本", password: "pässwörter 🔑🔑".normalize("NFC") });
    await app.client().login({ username: "日本", password: "pässwörter 🔑🔑".normalize("NFD") });
  });

  it("is limited by address", async () => {
    await using app = await testApp({ limits: { registrationsPerAddress: 2 } });
    await app.client().register({ username: "user1", password });
    await app.client().register({ username: "user2", password });
    const { retryAfter } = await expectReason(app.client().register({ username: "user3", password }), "RATE_LIMITED");
    expect(retryAfter).toBe(3600);
    await app.clock.advance({ hours: 1 });
    await app.client().register({ username: "user3", password });
  });
});

describe("login", () => {
  it.each(["alice", "ALICE", "alice@example.com", "Alice@Example.COM"])("takes %j", async (username) => {
    await using app = await testApp();
    await app.client().register({ username: "Alice", password, email: "alice@example.com" });
    expect(await app.client().login({ username, password })).toMatchObject({ username: "Alice" });
  });

  it("answers the same for an unknown username and for a wrong password", async () => {
    await using app = await testApp();
    await app.client().register({ username: "alice", password });
    const wrong = await app.call("auth.login", { json: { username: "alice", password: "wrong" } });
    const unknown = await app.call("auth.login", { json: { username: "nobody", password: "wrong" } });
    expect(wrong.status).toBe(401);
    expect(await unknown.text()).toBe(await wrong.text());
    expect(wrong.headers.get("www-authenticate")).toBe("Bearer");
  });

  it("tells that an account is disabled only to who knows its password", async () => {
    await using app = await testApp();
    const { id } = await app.client().register({ username: "alice", password });
    const admin = app.auth.usersRouter.createCaller(await app.asUser({ username: "root", roles: ["admin"] }));
    await admin.disable({ id });
    await expectReason(app.client().login({ username: "alice", password: "wrong" }), "INVALID_CREDENTIALS");
    await expectReason(app.client().login({ username: "alice", password }), "ACCOUNT_DISABLED");
  });

  it("grants the scopes asked for, and no more than the account may have", async () => {
    await using app = await testApp();
    const client = app.client();
    await client.register({ username: "alice", password });
    await client.login({ username: "alice", password, scope: "notes:read notes:moderate" });
    expect(client.session).toMatchObject({ scopes: ["notes:read"] });
    await expectReason(client.login({ username: "alice", password, scope: "notes:fly" }), "BAD_REQUEST");
  });
});

describe("limits on guessing", () => {
  const limits = { loginsPerAccount: 3, loginsPerAddress: 100, loginsPerKnownDevice: 2 };

  it("refuse after too many failures, until the window ends", async () => {
    await using app = await testApp({ limits });
    const guess = () => app.client().login({ username: "alice", password: "wrong" });
    for (let attempt = 0; attempt < 3; attempt += 1) await expectReason(guess(), "INVALID_CREDENTIALS");
    await app.clock.advance({ minutes: 5 });
    expect(await expectReason(guess(), "RATE_LIMITED")).toEqual({ retryAfter: 600 });
    await app.clock.advance({ minutes: 10 });
    await expectReason(guess(), "INVALID_CREDENTIALS");
  });

  it("say when to come back in Retry-After", async () => {
    await using app = await testApp({ limits: { ...limits, loginsPerAccount: 1 } });
    const guess = () => app.call("auth.login", { json: { username: "alice", password: "wrong" } });
    await guess();
    const refused = await guess();
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "900"]);
  });

  it("count every guess of a batch", async () => {
    await using app = await testApp({ limits });
    const paths = Array(10).fill("auth.login").join(",");
    const guesses = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [index, { json: { username: "alice", password: "wrong" } }]),
    );
    const reply = await app.call(`${paths}?batch=1`, guesses);
    const statuses = ((await reply.json()) as { error: { json: { data: { httpStatus: number } } } }[]).map(
      ({ error }) => error.json.data.httpStatus,
    );
    expect(statuses.filter((status) => status === 401)).toHaveLength(3);
    expect(statuses.filter((status) => status === 429)).toHaveLength(7);
  });

  it("count guesses at many accounts from one address", async () => {
    await using app = await testApp({ limits: { ...limits, loginsPerAddress: 5 } });
    for (let index = 0; index < 5; index += 1) {
      await expectReason(app.client().login({ username: `user${index}`, password: "wrong" }), "INVALID_CREDENTIALS");
    }
    await expectReason(app.client().login({ username: "another", password: "wrong" }), "RATE_LIMITED");
  });

  describe("leave the owner a budget of their own, which strangers cannot use up,", () => {
    const behindProxy = () => testApp({ limits }, { app: { trustedProxies: ["127.0.0.1"] } });
    const home = "203.0.113.1";
    const alice = { username: "alice", password, email: "alice@example.com" };

    /** Strangers guess until nobody unknown may try this name any more. */
    async function flood(app: TestApp, username: string) {
      const guess = (index: number) => forwarded(app, `198.51.100.${index}`).login({ username, password: "wrong" });
      for (let index = 0; index < limits.loginsPerAccount; index += 1) {
        await expectReason(guess(index), "INVALID_CREDENTIALS");
      }
      await expectReason(forwarded(app, "198.51.100.9").login({ username, password }), "RATE_LIMITED");
    }

    it("where they signed in", async () => {
      await using app = await behindProxy();
      await forwarded(app, "192.0.2.7").register(alice);
      await forwarded(app, home).login({ username: "alice", password });
      await flood(app, "alice");
      await forwarded(app, home).login({ username: "alice", password });
    });

    it.each(["alice", "alice@example.com"])("where they registered, as %s", async (username) => {
      await using app = await behindProxy();
      await forwarded(app, home).register(alice);
      await flood(app, username);
      await forwarded(app, home).login({ username, password });
    });

    it("for as long as a session that began there may live", async () => {
      await using app = await behindProxy();
      await forwarded(app, home).register(alice);
      await app.clock.advance({ days: 365 });
      await flood(app, "alice");
      await forwarded(app, home).login({ username: "alice", password });
    });
  });

  it("tell nobody whose e-mail address it is", async () => {
    await using app = await testApp({ limits });
    await signUp(app);
    const guess = (username: string) => app.client().login({ username, password: "wrong" });
    for (const username of ["alice", "Alice", "ALICE"]) await expectReason(guess(username), "INVALID_CREDENTIALS");
    await expectReason(guess("alice"), "RATE_LIMITED");
    await expectReason(guess("alice@example.com"), "INVALID_CREDENTIALS");
  });

  it("count nothing while the application's claims fail: once an outage locked owners out", async () => {
    const outage = { isOn: false };
    const claims = () => {
      if (outage.isOn) throw new Error("the profile service is down");
      return {};
    };
    await using app = await testApp({ claims, limits });
    await signUp(app);
    outage.isOn = true;
    for (let attempt = 0; attempt < 6; attempt += 1) await expect(signIn(app)).rejects.toThrow();
    outage.isOn = false;
    await signIn(app);
  });

  it("count nothing while the database fails", async () => {
    const failing = failingDatabase();
    await using app = await testApp({ limits }, { database: failing.database });
    await signUp(app);
    failing.fails = /insert into "sessions"/;
    for (let attempt = 0; attempt < 6; attempt += 1) await expect(signIn(app)).rejects.toThrow();
    failing.fails = null;
    await signIn(app);
  });

  it("count what an application's own authenticate throws: it may be its way to say no", async () => {
    const authenticate = async () => {
      throw new Error("wrong password");
    };
    await using app = await testApp({ limits, authenticate, findAccount: async () => null });
    for (let attempt = 0; attempt < 3; attempt += 1) await expect(signIn(app)).rejects.toThrow("wrong password");
    await expectReason(app.client().login({ username: "alice", password }), "RATE_LIMITED");
  });

  it("cost an honest sign-in nothing", async () => {
    await using app = await testApp({ limits });
    await app.client().register({ username: "alice", password });
    for (let attempt = 0; attempt < 6; attempt += 1) await app.client().login({ username: "alice", password });
  });

  it("keep no name or address in the database", async () => {
    await using app = await testApp();
    await expectReason(
      app.client().login({ username: "hunter2-typed-as-name", password: "wrong" }),
      "INVALID_CREDENTIALS",
    );
    const { db } = await app.auth.start();
    const rows = [
      ...(await db.selectFrom("attempts").selectAll().execute()),
      ...(await db.selectFrom("audit_events").selectAll().execute()),
    ];
    expect(rows.length).toBeGreaterThan(2);
    expect(JSON.stringify(rows)).not.toContain("hunter2");
  });
});
