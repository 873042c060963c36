import { createApp, createAuth } from "@countersign/server";
import { describe, expect, it } from "vitest";
import { type TestApp, testApp } from "../support/test-app.ts";
import { testOptions } from "../support/test-router.ts";

const origin = "https://app.example";
const withOrigins = () => testApp({}, { app: { origins: [origin, "http://localhost:5173"] } });

const preflight = (app: TestApp, from: string, path = "/trpc/auth.login") =>
  app.request(path, {
    method: "OPTIONS",
    headers: {
      origin: from,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    },
  });

describe("browsers of another origin", () => {
  it.each([origin, "http://localhost:5173"])("that is allowed may call, and read what they need: %s", async (from) => {
    await using app = await withOrigins();
    const reply = await app.request("/trpc/whoami", { headers: { origin: from } });
    expect(reply.headers.get("access-control-allow-origin")).toBe(from);
    expect(reply.headers.get("vary")).toContain("Origin");
    const exposed = reply.headers.get("access-control-expose-headers")?.split(",") ?? [];
    expect(exposed).toEqual(expect.arrayContaining(["www-authenticate", "retry-after", "x-request-id"]));
    // For the session cookie.
    expect(reply.headers.get("access-control-allow-credentials")).toBe("true");
  });

  it("that is allowed may ask first", async () => {
    await using app = await withOrigins();
    const reply = await preflight(app, origin);
    expect([reply.status, reply.headers.get("access-control-allow-origin")]).toEqual([204, origin]);
    expect(reply.headers.get("access-control-allow-headers")?.split(",")).toEqual(
      expect.arrayContaining(["authorization", "content-type"]),
    );
    expect(reply.headers.get("access-control-allow-methods")).toBe("GET,POST");
    expect(reply.headers.get("access-control-allow-credentials")).toBe("true");
  });

  it.each([
    ["a page without an origin", "null"],
    ["a subdomain", "https://evil.app.example"],
    ["the origin as a prefix", "https://app.example.evil.test"],
    ["the origin as a suffix", "https://evilapp.example"],
    ["another scheme", "http://app.example"],
    ["another port", "https://app.example:8443"],
    ["another spelling", "https://APP.example"],
    ["a slash at the end", "https://app.example/"],
    ["both allowed ones at once", `${origin}, http://localhost:5173`],
    ["everything", "*"],
  ])("may not, as %s", async (_, from) => {
    await using app = await withOrigins();
    for (const reply of [await app.request("/trpc/ping", { headers: { origin: from } }), await preflight(app, from)]) {
      expect(reply.headers.has("access-control-allow-origin")).toBe(false);
      expect(reply.headers.has("access-control-allow-credentials")).toBe(false);
      expect(reply.headers.get("vary")).toContain("Origin");
    }
  });

  it("may not anywhere, unless origins are named", async () => {
    await using app = await testApp();
    for (const path of ["/trpc/ping", "/users/me", "/.well-known/jwks.json", "/nothing"]) {
      expect((await app.request(path, { headers: { origin } })).headers.has("access-control-allow-origin")).toBe(false);
    }
    expect((await preflight(app, origin)).headers.has("access-control-allow-origin")).toBe(false);
  });
});

describe("origins", () => {
  it.each([
    "*",
    "null",
    "",
    "app.example",
    "https://app.example/",
    "https://app.example/path",
    "https://*.example",
    "https://user@app.example",
  ])("that are none are refused when the app is made: %j", (wrong) => {
    const auth = createAuth(testOptions);
    expect(() => createApp(auth, { origins: [origin, wrong] })).toThrow(
      `"origins" must be origins, as in "https://app.example": not ${JSON.stringify(wrong)}`,
    );
  });
});
