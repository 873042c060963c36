/** Headers of every reply, whatever its route and status. */
import { createApp } from "@countersign/server";
import { createTestAuth } from "@countersign/server/testing";
import { describe, expect, it } from "vitest";
import { signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

const json = { "content-type": "application/json" };
const form = { "content-type": "application/x-www-form-urlencoded" };

/** A reply of each kind. */
const replies: Record<string, (app: TestApp) => Promise<Response>> = {
  "a query": (app) => app.request("/trpc/ping"),
  "a batch": (app) => app.request("/trpc/ping,whoami?batch=1"),
  "a mutation": async (app) => app.call("auth.login", { json: { username: "alice", password } }),
  "a refused call": (app) => app.request("/trpc/whoami"),
  "an unknown procedure": (app) => app.request("/trpc/nothing"),
  "a broken procedure": async (app) => {
    const { accessToken } = await signUp(app, "bob");
    return app.request("/trpc/broken", { headers: { authorization: `Bearer ${accessToken}` } });
  },
  "malformed JSON": (app) => app.call("auth.login", "{"),
  "a body that is too large": (app) => app.call("auth.login", { json: "x".repeat(200_000) }),
  "another content type": (app) => app.request("/trpc/auth.login", { method: "POST", body: "x" }),
  "a token": (app) =>
    app.request("/token", { method: "POST", headers: form, body: `username=alice&password=${password}` }),
  "a refused token": (app) =>
    app.request("/token", { method: "POST", headers: form, body: "username=alice&password=x" }),
  "a malformed form": (app) => app.request("/token", { method: "POST", headers: json, body: "{}" }),
  "a form that is too large": (app) =>
    app.request("/token", { method: "POST", headers: form, body: "x".repeat(200_000) }),
  "the user": async (app) => {
    const { accessToken } = await signUp(app, "bob");
    return app.request("/users/me", { headers: { authorization: `Bearer ${accessToken}` } });
  },
  "no user": (app) => app.request("/users/me"),
  "the root": (app) => app.request("/", { redirect: "manual" }),
  "an unknown path": (app) => app.request("/nothing"),
  "another method": (app) => app.request("/users/me", { method: "DELETE" }),
  "a page": (app) => app.request("/sign-in"),
  "a form that is refused": (app) => app.request("/sign-in", { method: "POST", headers: form, body: "username=alice" }),
  "a page that could not be made": (app) => app.request("/preferences", { method: "POST", headers: form, body: "" }),
  "an unknown file of the pages": (app) => app.request("/pages/nothing"),
  "the keys": (app) => app.request("/.well-known/jwks.json"),
  "the process": (app) => app.request("/healthz"),
  readiness: (app) => app.request("/readyz"),
  "the description": (app) => app.request("/openapi.json"),
};
/** What anybody may keep for a while: nothing in it is anyone's. */
const isPublic = new Set(["the root", "the keys", "the description"]);

async function replyTo(what: string, app: TestApp): Promise<Response> {
  await signUp(app);
  return replies[what]?.(app) ?? expect.fail(what);
}

describe.each(Object.keys(replies))("%s", (what) => {
  it("has a request id, and the security headers", async () => {
    await using app = await testApp();
    const { headers } = await replyTo(what, app);
    expect(headers.get("x-request-id")).toMatch(/^[\w-]{20,}$/);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("content-security-policy")).toMatch(/(?:^|; )frame-ancestors 'none'(?:;|$)/);
    expect(headers.get("referrer-policy")).toBe("same-origin");
    expect(headers.has("x-powered-by")).toBe(false);
    // On http: nobody listens to it; with an issuer on https: it is there (below).
    expect(headers.has("strict-transport-security")).toBe(false);
  });

  it("is kept by no cache, unless nothing in it is anyone's", async () => {
    await using app = await testApp();
    const { headers } = await replyTo(what, app);
    expect(headers.get("cache-control") === "no-store").toBe(!isPublic.has(what));
  });
});

describe("the request id", () => {
  it.each(["trace-4711", "a b", "<script>", "x".repeat(300), "é"])(
    "is ours, whatever the caller sends: nothing of theirs gets into a log (%j)",
    async (given) => {
      await using app = await testApp();
      const reply = await app.request("/healthz", { headers: { "x-request-id": given } });
      expect(reply.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  it("differs from request to request", async () => {
    await using app = await testApp();
    const ids = await Promise.all(
      [1, 2, 3].map(async () => (await app.request("/healthz")).headers.get("x-request-id")),
    );
    expect(new Set(ids).size).toBe(3);
  });
});

describe("a reply that may not be changed, as what fetch answered", () => {
  it.each([
    ["from our own origin", []],
    ["where others may read it", ["https://app.example"]],
  ])("gets them too, %s", async (_, origins) => {
    await using test = await createTestAuth();
    const app = createApp(test.auth, { origins });
    app.get("/elsewhere", () => fetch("data:text/plain,hello"));
    const reply = await app.request("/elsewhere", { headers: { origin: "https://app.example" } });
    expect([reply.status, await reply.text()]).toEqual([200, "hello"]);
    expect(reply.headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
    expect(reply.headers.get("x-frame-options")).toBe("DENY");
    expect(reply.headers.get("access-control-allow-origin")).toBe(origins[0] ?? null);
  });
});

describe("a server whose issuer is on https:", () => {
  it("tells browsers to stay there for a year, with the hosts below it", async () => {
    await using app = await testApp({ issuer: "https://auth.example" });
    const { headers } = await app.request("/users/me");
    expect(headers.get("strict-transport-security")).toBe("max-age=31536000; includeSubDomains");
  });
});

describe("a mixed batch", () => {
  it("is 207, with a status for each call inside", async () => {
    await using app = await testApp();
    const reply = await app.request("/trpc/ping,whoami?batch=1");
    expect(reply.status).toBe(207);
    expect(reply.headers.get("www-authenticate")).toBe("Bearer");
    expect(await reply.json()).toMatchObject([
      { result: { data: { json: "pong" } } },
      { error: { json: { data: { httpStatus: 401, reason: "TOKEN_MISSING" } } } },
    ]);
  });
});

describe("a procedure that breaks", () => {
  it("shows nothing of why: no stack, no SQL, no path", async () => {
    await using app = await testApp();
    const { accessToken } = await signUp(app);
    const reply = await app.request("/trpc/broken", { headers: { authorization: `Bearer ${accessToken}` } });
    expect(reply.status).toBe(500);
    expect(await reply.json()).toEqual({
      error: {
        json: {
          message: "Something went wrong on the server.",
          code: -32603,
          data: { code: "INTERNAL_SERVER_ERROR", httpStatus: 500, path: "broken", reason: null, details: null },
        },
      },
    });
  });

  it("leaves the others of its batch alone", async () => {
    await using app = await testApp();
    const { accessToken } = await signUp(app);
    const reply = await app.request("/trpc/broken,ping?batch=1", {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    expect(await reply.json()).toMatchObject([{ error: {} }, { result: { data: { json: "pong" } } }]);
  });
});
