import { describe, expect, expectTypeOf, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { administrator, bearer, refresh, signIn, signUp } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

describe("a protected procedure", () => {
  it("knows its caller, as the token says", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    expect(await bearer(app, session).whoami.query()).toMatchObject({
      accountId: session.user.id,
      username: "alice",
      sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      clientId: "countersign",
      scopes: ["notes:read", "notes:write"],
      roles: [],
      authTime: new Date(app.clock.now()),
      amr: ["pwd"],
      version: 1,
      issuedAt: new Date(app.clock.now()),
      expiresAt: session.expiresAt,
    });
  });

  it("refuses a caller without a token, and one whose token has expired", async () => {
    await using app = await testApp();
    await expectReason(app.client().trpc.whoami.query(), "TOKEN_MISSING");
    const session = await signUp(app);
    await app.clock.advance({ seconds: 900 + 4 });
    await bearer(app, session).whoami.query();
    await app.clock.advance({ seconds: 1 });
    await expectReason(bearer(app, session).whoami.query(), "TOKEN_EXPIRED");
  });

  it("leaves a public one open to all, whatever they send", async () => {
    await using app = await testApp();
    expect(await app.client().trpc.ping.query()).toBe("pong");
    expect(await bearer(app, { accessToken: "nonsense" }).ping.query()).toBe("pong");
  });
});

describe("a scope", () => {
  it("is what the sign-in asked for, and no more", async () => {
    await using app = await testApp();
    await signUp(app);
    const writer = bearer(app, await signIn(app, "alice", "notes:write"));
    expect(await writer.write.mutate({ text: "hello" })).toBe("hello");
    expect(await expectReason(writer.read.query(), "INSUFFICIENT_SCOPE")).toEqual({ missing: ["notes:read"] });
  });

  it("that is missing is named in WWW-Authenticate (RFC 6750 §3.1)", async () => {
    await using app = await testApp();
    const { accessToken } = await signUp(app);
    const refused = await app.call("moderate", { json: null }, { authorization: `Bearer ${accessToken}` });
    expect(refused.status).toBe(403);
    expect(refused.headers.get("www-authenticate")).toBe('Bearer error="insufficient_scope", scope="notes:moderate"');
    const sentence = 'This call needs the scope "notes:moderate", which the access token does not have.';
    expect(await refused.json()).toMatchObject({ error: { json: { message: sentence } } });
  });

  it("that only a role grants is had through the role alone", async () => {
    await using app = await testApp();
    const users = await administrator(app);
    await users.create({ username: "mo", password, roles: ["moderator"] });
    expect(await bearer(app, await signIn(app, "mo")).moderate.mutate()).toBe("moderated");
    await signUp(app, "alice");
    const asked = bearer(app, await signIn(app, "alice", "notes:read notes:moderate"));
    expect(await expectReason(asked.moderate.mutate(), "INSUFFICIENT_SCOPE")).toEqual({ missing: ["notes:moderate"] });
  });

  it("is not given to an administrator unasked: the role says what, the scope how far", async () => {
    await using app = await testApp();
    const users = await administrator(app);
    await users.create({ username: "chief", password, roles: ["admin"] });
    await expectReason(bearer(app, await signIn(app, "chief")).moderate.mutate(), "INSUFFICIENT_SCOPE");
  });
});

describe("a role", () => {
  it("is demanded by name", async () => {
    await using app = await testApp();
    const users = await administrator(app);
    await users.create({ username: "mo", password, roles: ["moderator"] });
    await users.create({ username: "chief", password, roles: ["admin"] });
    expect(await bearer(app, await signIn(app, "mo")).tidy.mutate()).toBe("tidied");
    const refused = await expectReason(bearer(app, await signIn(app, "chief")).tidy.mutate(), "INSUFFICIENT_ROLE");
    expect(refused).toEqual({ role: "moderator" });
  });
});

describe("claims", () => {
  it("of the application arrive in the principal, typed, and are asked for again at a refresh", async () => {
    const level = { now: 1 };
    await using app = await testApp({
      claims: ({ username, email }) => ({ shoutedName: username.toUpperCase(), email, level: level.now }),
    });
    const session = await signUp(app);
    const principal = await bearer(app, session).whoami.query();
    expectTypeOf(principal.claims).toEqualTypeOf<{ shoutedName: string }>();
    expect(principal.claims).toEqual({ shoutedName: "ALICE", email: null, level: 1 });
    level.now = 2;
    expect((await bearer(app, session).whoami.query()).claims).toMatchObject({ level: 1 });
    expect((await bearer(app, await refresh(app, session)).whoami.query()).claims).toMatchObject({ level: 2 });
  });
});

describe("a procedure that demands a recent sign-in", () => {
  it("takes one up to its age, and refuses an older one with the age", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    await app.clock.advance({ seconds: 300 });
    expect(await bearer(app, session).dangerous.mutate()).toBe("done");
    await app.clock.advance({ seconds: 1 });
    expect(await expectReason(bearer(app, session).dangerous.mutate(), "FRESH_LOGIN_REQUIRED")).toEqual({
      maxAge: 300,
    });
    await bearer(app, session).whoami.query();
  });

  it("is not content with a refresh: it takes a new sign-in", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    await app.clock.advance({ minutes: 6 });
    await expectReason(bearer(app, await refresh(app, session)).dangerous.mutate(), "FRESH_LOGIN_REQUIRED");
    expect(await bearer(app, await signIn(app)).dangerous.mutate()).toBe("done");
  });

  it("says so in WWW-Authenticate (RFC 9470 §3)", async () => {
    await using app = await testApp();
    const { accessToken } = await signUp(app);
    await app.clock.advance({ minutes: 6 });
    const refused = await app.call("dangerous", { json: null }, { authorization: `Bearer ${accessToken}` });
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([
      403,
      'Bearer error="insufficient_user_authentication", max_age="300"',
    ]);
  });
});
