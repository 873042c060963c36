/** The plain routes, byte for byte: foreign programs are written against them. */
import { describe, expect, it } from "vitest";
import { capturedLog } from "../support/captured-log.ts";
import { failingDatabase } from "../support/failing-database.ts";
import { administrator, refresh, signUp, usersMe } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

const post = (app: TestApp, fields: Record<string, string> | string, headers: Record<string, string> = {}) =>
  app.request("/token", {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: typeof fields === "string" ? fields : new URLSearchParams(fields).toString(),
  });

const good = { username: "alice", password };

describe("POST /token", () => {
  it.each([{}, { grant_type: "password" }, { grant_type: "" }])(
    "signs in with the form of the FastAPI tutorial (%j)",
    async (more) => {
      await using app = await testApp();
      await signUp(app);
      const reply = await post(app, { ...good, ...more });
      expect(reply.status).toBe(200);
      expect(reply.headers.get("content-type")).toBe("application/json");
      expect(reply.headers.get("cache-control")).toBe("no-store");
      const body = (await reply.json()) as { access_token: string };
      expect(body).toEqual({
        access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        token_type: "bearer",
        expires_in: 900,
        refresh_token: expect.stringMatching(/^v1\.[\w-]+$/),
        scope: "notes:read notes:write",
      });
      expect((await usersMe(app, { accessToken: body.access_token })).status).toBe(200);
    },
  );

  it("grants the scope asked for, and ignores fields that it does not know (RFC 6749 §3.2)", async () => {
    await using app = await testApp();
    await signUp(app);
    const reply = await post(app, { ...good, scope: "notes:read", client_id: "x", client_secret: "y" });
    expect(await reply.json()).toMatchObject({ scope: "notes:read" });
    expect(await (await post(app, { ...good, scope: "" })).json()).toMatchObject({ scope: "notes:read notes:write" });
  });

  it("refreshes", async () => {
    await using app = await testApp();
    const { refreshToken } = await signUp(app);
    const reply = await post(app, { grant_type: "refresh_token", refresh_token: refreshToken });
    expect([reply.status, reply.headers.get("cache-control")]).toEqual([200, "no-store"]);
    const body = (await reply.json()) as { refresh_token: string };
    expect(Object.keys(body).sort()).toEqual(["access_token", "expires_in", "refresh_token", "scope", "token_type"]);
    expect(body.refresh_token).not.toBe(refreshToken);
  });

  const badRequests: readonly [what: string, body: Record<string, string> | string, error: string, reason: string][] = [
    ["a missing password", { username: "alice" }, "invalid_request", "BAD_REQUEST"],
    ["a missing username", { password }, "invalid_request", "BAD_REQUEST"],
    ["an empty form", "", "invalid_request", "BAD_REQUEST"],
    ["a missing refresh token", { grant_type: "refresh_token" }, "invalid_request", "BAD_REQUEST"],
    ["a parameter that is given twice", "username=alice&username=bob&password=x", "invalid_request", "BAD_REQUEST"],
    ["a scope that is malformed", { ...good, scope: 'a"b' }, "invalid_scope", "BAD_REQUEST"],
    ["a scope that does not exist", { ...good, scope: "notes:fly" }, "invalid_scope", "BAD_REQUEST"],
    ["another grant", { grant_type: "authorization_code", code: "x" }, "unsupported_grant_type", "BAD_REQUEST"],
    ["a wrong password", { ...good, password: "wrong" }, "invalid_grant", "INVALID_CREDENTIALS"],
    ["an unknown username", { ...good, username: "nobody" }, "invalid_grant", "INVALID_CREDENTIALS"],
    [
      "a made-up refresh token",
      { grant_type: "refresh_token", refresh_token: "v1.AAAA" },
      "invalid_grant",
      "TOKEN_INVALID",
    ],
  ];

  it.each(badRequests)("answers %s as RFC 6749 §5.2 says", async (_, body, error, reason) => {
    await using app = await testApp();
    await signUp(app);
    const reply = await post(app, body);
    expect(reply.status).toBe(400);
    expect(reply.headers.get("cache-control")).toBe("no-store");
    // A challenge is a 401's.
    expect(reply.headers.has("www-authenticate")).toBe(false);
    expect(await reply.json()).toEqual({ error, error_description: expect.stringMatching(/^["A-Z].{10,}/), reason });
  });

  it.each(["application/x-www-form-urlencoded; charset=utf-8", "Application/X-WWW-Form-URLEncoded ;charset=UTF-8"])(
    "takes a form however its type is written: %s",
    async (type) => {
      await using app = await testApp();
      await signUp(app);
      expect((await post(app, good, { "content-type": type })).status).toBe(200);
    },
  );

  it("answers what an application's own function throws as the server's fault, and shows nothing of it", async () => {
    const { log, lines } = capturedLog();
    await using app = await testApp({
      log,
      authenticate: () => Promise.reject(new Error("ldap://directory.internal is away")),
      findAccount: async () => null,
    });
    const reply = await post(app, good);
    expect([reply.status, await reply.json()]).toEqual([
      500,
      { error: "server_error", error_description: "Something went wrong on the server." },
    ]);
    const requestId = reply.headers.get("x-request-id");
    const [{ fields } = { fields: {} }] = lines.filter(({ message }) => message === "a request failed");
    expect(fields).toMatchObject({ requestId, err: { message: "ldap://directory.internal is away" } });
  });

  it("takes no other content type", async () => {
    await using app = await testApp();
    const reply = await post(app, JSON.stringify(good), { "content-type": "application/json" });
    expect([reply.status, await reply.json()]).toEqual([
      400,
      {
        error: "invalid_request",
        error_description: 'The body must be a form: "application/x-www-form-urlencoded".',
        reason: "BAD_REQUEST",
      },
    ]);
  });

  it("answers a disabled account, and each refresh token that is no longer good, with invalid_grant", async () => {
    await using app = await testApp();
    const first = await signUp(app);
    const again = (refreshToken: string) => post(app, { grant_type: "refresh_token", refresh_token: refreshToken });
    const second = await refresh(app, await refresh(app, first));
    expect(await (await again(first.refreshToken)).json()).toMatchObject({
      error: "invalid_grant",
      reason: "SESSION_REUSED",
    });
    expect(await (await again(second.refreshToken)).json()).toMatchObject({
      error: "invalid_grant",
      reason: "SESSION_REUSED",
    });
    const users = await administrator(app);
    const other = (await (await post(app, good)).json()) as { refresh_token: string };
    await users.disable({ id: first.user.id });
    expect(await (await again(other.refresh_token)).json()).toMatchObject({
      error: "invalid_grant",
      reason: "SESSION_REVOKED",
    });
    const disabled = await post(app, good);
    expect([disabled.status, await disabled.json()]).toMatchObject([
      400,
      { error: "invalid_grant", reason: "ACCOUNT_DISABLED" },
    ]);
    await users.enable({ id: first.user.id });
    const late = (await (await post(app, good)).json()) as { refresh_token: string };
    await app.clock.advance({ days: 31 });
    expect(await (await again(late.refresh_token)).json()).toMatchObject({
      error: "invalid_grant",
      reason: "TOKEN_EXPIRED",
    });
  });

  it("says when to come back: 429 and 503 with Retry-After", async () => {
    const store = failingDatabase();
    await using app = await testApp({ limits: { loginsPerAccount: 1 } }, store);
    await post(app, { ...good, password: "wrong" });
    const limited = await post(app, { ...good, password: "wrong" });
    expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "900"]);
    expect(await limited.json()).toMatchObject({ error: "temporarily_unavailable", reason: "RATE_LIMITED" });
    store.fails = /./;
    const down = await post(app, good);
    expect([down.status, down.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await down.json()).toMatchObject({ error: "temporarily_unavailable", reason: "UNAVAILABLE" });
  });
});

describe("GET /users/me", () => {
  it("is the user, and nothing more", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const reply = await usersMe(app, session);
    expect([reply.status, reply.headers.get("cache-control")]).toEqual([200, "no-store"]);
    expect(await reply.json()).toEqual({ id: session.user.id, username: "alice", email: null, roles: [] });
  });

  it("is 401 without a token, with the bare challenge (RFC 6750 §3)", async () => {
    await using app = await testApp();
    const reply = await app.request("/users/me");
    expect([reply.status, reply.headers.get("www-authenticate"), reply.headers.get("cache-control")]).toEqual([
      401,
      "Bearer",
      "no-store",
    ]);
    expect(await reply.json()).toEqual({
      error: "invalid_token",
      error_description: "Could not validate credentials",
      reason: "TOKEN_MISSING",
    });
  });

  it("is 401 with a bad token, with invalid_token in the challenge", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const bad = await usersMe(app, { accessToken: `${session.accessToken}x` });
    expect([bad.status, bad.headers.get("www-authenticate")]).toEqual([401, 'Bearer error="invalid_token"']);
    expect(await bad.json()).toEqual({
      error: "invalid_token",
      error_description: "Could not validate credentials",
      reason: "TOKEN_INVALID",
    });
    await app.clock.advance({ minutes: 20 });
    const expired = await usersMe(app, session);
    expect([expired.status, await expired.json()]).toMatchObject([
      401,
      { error: "invalid_token", reason: "TOKEN_EXPIRED" },
    ]);
  });

  it("takes the token from one header only", async () => {
    await using app = await testApp();
    const { accessToken } = await signUp(app);
    expect((await app.request(`/users/me?access_token=${accessToken}`)).status).toBe(401);
    expect((await app.request("/users/me", { headers: { cookie: `access_token=${accessToken}` } })).status).toBe(401);
    const twice = new Headers({ authorization: `Bearer ${accessToken}` });
    twice.append("authorization", `Bearer ${accessToken}`);
    expect((await app.request("/users/me", { headers: twice })).status).toBe(401);
  });
});

describe("the other plain routes", () => {
  it("GET /.well-known/jwks.json may be kept for a while, by anyone", async () => {
    await using app = await testApp();
    const reply = await app.request("/.well-known/jwks.json");
    expect([reply.status, reply.headers.get("cache-control")]).toEqual([200, "public, max-age=300"]);
    expect(reply.headers.get("content-type")).toContain("application/json");
    expect(Object.keys((await reply.json()) as object)).toEqual(["keys"]);
  });

  it("GET /healthz and GET /readyz say how it is", async () => {
    await using app = await testApp();
    expect(await (await app.request("/healthz")).json()).toEqual({ status: "ok" });
    expect(await (await app.request("/readyz")).json()).toEqual({ status: "ready" });
  });

  it.each([
    ["the account", "/account", {}],
    ["the page that describes the API, where there are no pages of ours", "/docs", { pages: false as const }],
  ])("the root leads to %s", async (_, place, options) => {
    await using app = await testApp({}, { app: options });
    const reply = await app.request("/", { redirect: "manual" });
    expect([reply.status, reply.headers.get("location")]).toEqual([302, place]);
    expect((await app.request("/", { method: "POST" })).status).toBe(404);
  });

  it("an unknown path is 404 with a body that says so", async () => {
    await using app = await testApp();
    const reply = await app.request("/nothing/here");
    expect([reply.status, await reply.json()]).toEqual([
      404,
      { error: "not_found", error_description: "There is nothing here.", reason: "NOT_FOUND" },
    ]);
  });
});
