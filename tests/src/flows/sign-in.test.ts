import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { password, testApp } from "../support/test-app.ts";

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
    expect(details).toEqual({ rule });
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

  it("leave the owner a budget of their own, which strangers cannot use up", async () => {
    await using app = await testApp({ limits }, { app: { trustedProxies: ["127.0.0.1"] } });
    const from = (address: string) =>
      app.client((url, init) =>
        fetch(url as string, {
          ...(init as RequestInit),
          headers: { ...(init?.headers as Record<string, string>), "x-forwarded-for": address },
        }),
      );
    await from("203.0.113.1").register({ username: "alice", password });
    await from("203.0.113.1").login({ username: "alice", password });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expectReason(
        from(`198.51.100.${attempt}`).login({ username: "alice", password: "wrong" }),
        "INVALID_CREDENTIALS",
      );
    }
    await expectReason(from("198.51.100.9").login({ username: "alice", password }), "RATE_LIMITED");
    await from("203.0.113.1").login({ username: "alice", password });
  });

  it("count guesses at one account together, by username and by e-mail address", async () => {
    await using app = await testApp({ limits });
    await app.client().register({ username: "alice", password, email: "alice@example.com" });
    const guess = (username: string) => app.client().login({ username, password: "wrong" });
    for (const username of ["alice", "alice@example.com", "Alice"]) {
      await expectReason(guess(username), "INVALID_CREDENTIALS");
    }
    await expectReason(guess("alice@example.com"), "RATE_LIMITED");
    await expectReason(guess("alice"), "RATE_LIMITED");
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
