import { createApp } from "@countersign/server";
import { createTestAuth } from "@countersign/server/testing";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { capturedLog } from "../support/captured-log.ts";
import { expectReason } from "../support/expect-reason.ts";
import { failingDatabase } from "../support/failing-database.ts";
import { post, signInByForm } from "../support/pages-without-scripts.ts";
import { signUp } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

const RequestLine = z.object({
  requestId: z.string(),
  status: z.number(),
  procedures: z.array(z.string()).optional(),
  milliseconds: z.number().nonnegative(),
});

/** The driver's error is what an operator needs; the caller is told that it is the server's fault, and no more. */
async function appWithFullDisk() {
  const store = failingDatabase();
  const { log, lines } = capturedLog();
  const app = await testApp({ log }, store);
  const session = await signUp(app);
  store.fails = /^(insert|update|delete)/i;
  return {
    app,
    session,
    causes: () => lines.filter(({ message }) => message === "a request was refused as UNAVAILABLE"),
  };
}

describe("what is behind UNAVAILABLE is logged with the id of the request,", () => {
  it.each([
    [
      "by tRPC",
      "/trpc/auth.login",
      { "content-type": "application/json" },
      JSON.stringify({ json: { username: "alice", password } }),
    ],
    [
      "by POST /token",
      "/token",
      { "content-type": "application/x-www-form-urlencoded" },
      `username=alice&password=${password}`,
    ],
    [
      "by a form of a page",
      "/sign-in",
      { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin" },
      `username=alice&password=${password}`,
    ],
  ])("%s", async (_, path, headers, body) => {
    const { app, causes } = await appWithFullDisk();
    await using _app = app;
    const reply = await app.request(path, { method: "POST", headers, body });
    expect(reply.status).toBe(503);
    expect(await reply.text()).not.toContain("disk");
    expect(causes()).toEqual([
      expect.objectContaining({
        level: "error",
        fields: expect.objectContaining({
          requestId: reply.headers.get("x-request-id"),
          err: expect.objectContaining({
            reason: "UNAVAILABLE",
            cause: expect.objectContaining({ code: "SQLITE_FULL" }),
          }),
        }),
      }),
    ]);
  });

  it("by a page", async () => {
    const store = failingDatabase();
    const { log, lines } = capturedLog();
    await using app = await testApp({ log }, store);
    await signUp(app);
    const alice = await signInByForm(app);
    store.fails = /from "sessions"/;
    const reply = await app.request("/account", { headers: alice });
    expect(reply.status).toBe(503);
    expect(lines).toContainEqual(
      expect.objectContaining({
        fields: expect.objectContaining({ requestId: reply.headers.get("x-request-id") }),
        message: "a request was refused as UNAVAILABLE",
      }),
    );
  });

  it("by GET /users/me", async () => {
    const store = failingDatabase();
    const { log, lines } = capturedLog();
    await using app = await testApp({ log }, store);
    const { accessToken } = await signUp(app);
    store.fails = /from "accounts"/i;
    const reply = await app.request("/users/me", { headers: { authorization: `Bearer ${accessToken}` } });
    expect(reply.status).toBe(503);
    expect(lines).toContainEqual(
      expect.objectContaining({
        fields: expect.objectContaining({ requestId: reply.headers.get("x-request-id") }),
        message: "a request was refused as UNAVAILABLE",
      }),
    );
  });
});

it.each([
  ["a query", "/trpc/broken", {}],
  ["one of a batch", "/trpc/ping,broken?batch=1", {}],
  ["one of a stream", "/trpc/ping,broken?batch=1", { "trpc-accept": "application/jsonl" }],
])("a procedure that fails is logged, once, with what it failed with: %s", async (_, path, more) => {
  const { log, lines } = capturedLog();
  await using app = await testApp({ log });
  const { accessToken } = await signUp(app);
  const reply = await app.request(path, { headers: { authorization: `Bearer ${accessToken}`, ...more } });
  expect(await reply.text()).not.toContain("secrets");
  const failures = lines.filter(({ message }) => message === "a procedure failed");
  expect(failures).toMatchObject([
    { level: "error", fields: { requestId: reply.headers.get("x-request-id"), path: "broken" } },
  ]);
  expect(failures[0]?.fields).toMatchObject({ err: { message: expect.stringContaining("secrets") } });
});

it("a form whose sending fails is answered with a page that says so, and logged with what it failed with", async () => {
  const { log, lines } = capturedLog();
  const authenticate = () => Promise.reject(new Error("the application's secrets"));
  await using app = await testApp({ log, authenticate, findAccount: () => Promise.resolve(null) });
  const reply = await post(app, "/sign-in", { username: "alice", password });
  expect(reply.status).toBe(500);
  expect(await reply.text()).not.toContain("secrets");
  expect(lines.filter(({ message }) => message === "a page failed")).toMatchObject([
    {
      level: "error",
      fields: { requestId: reply.headers.get("x-request-id"), err: { message: expect.stringContaining("secrets") } },
    },
  ]);
});

it.each([
  ["what failed", "/trpc/broken", 500, ["broken"], { level: "error", message: "request failed" }],
  ["what was refused", "/trpc/whoami,nothing?batch=1", 207, ["whoami"], { level: "info", message: "request" }],
  ["what no database answered", "/users/me", 503, undefined, { level: "info", message: "request" }],
])(
  "a request's line says what was called, how long it took, and by its level whether it is for an operator: %s",
  async (_, path, status, procedures, line) => {
    const store = failingDatabase();
    const { log, lines } = capturedLog();
    await using app = await testApp({ log }, store);
    const { accessToken } = await signUp(app);
    store.fails = /from "accounts"/;
    const begun = performance.now();
    const reply = await app.request(path, { headers: { authorization: `Bearer ${accessToken}` } });
    const taken = performance.now() - begun;
    expect(reply.status).toBe(status);
    const requestId = reply.headers.get("x-request-id");
    const written = lines.find(({ fields }) => RequestLine.safeParse(fields).data?.requestId === requestId);
    expect(written).toMatchObject(line);
    const fields = RequestLine.parse(written?.fields);
    expect(fields.status).toBe(status);
    expect(fields.procedures).toEqual(procedures);
    // It is rounded to a tenth.
    expect(fields.milliseconds).toBeLessThanOrEqual(taken + 0.05);
  },
);

it("a refusal that is the caller's own doing is no failure", async () => {
  const { log, lines } = capturedLog();
  await using app = await testApp({ log });
  await expectReason(app.client().login({ username: "nobody", password }), "INVALID_CREDENTIALS");
  expect(lines.filter(({ level }) => level !== "info")).toEqual([]);
});

describe("an app whose requests come without an address", () => {
  const login = (app: ReturnType<typeof createApp>, username: string, env?: object) =>
    app.request("/token", { method: "POST", body: new URLSearchParams({ username, password: "wrong" }) }, env);

  it("warns, once", async () => {
    const { log, lines } = capturedLog();
    await using test = await createTestAuth({ log });
    const app = createApp(test.auth);
    // Other runtimes than Node hand over something else.
    for (const env of [undefined, {}]) expect((await login(app, "alice", env)).status).toBe(400);
    expect(lines.filter(({ level }) => level === "warn").map(({ message }) => message)).toEqual([
      'requests come without an address, so guessing is limited by account alone: give createApp "address"',
    ]);
  });

  it("limits by what the application says the address is", async () => {
    const { log, lines } = capturedLog();
    await using test = await createTestAuth({ log, limits: { loginsPerAddress: 2 } });
    const app = createApp(test.auth, { address: (_, env) => (env as { ip: string }).ip });
    const status = async (username: string, ip: string) => (await login(app, username, { ip })).status;
    expect([await status("a", "203.0.113.1"), await status("b", "203.0.113.1")]).toEqual([400, 400]);
    expect([await status("c", "203.0.113.1"), await status("d", "203.0.113.2")]).toEqual([429, 400]);
    expect(lines.filter(({ level }) => level === "warn")).toEqual([]);
  });
});
