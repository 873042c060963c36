import { createTestAuth } from "@countersign/server/testing";
import { TRPCError } from "@trpc/server";
import { describe, expect, it } from "vitest";
import { password } from "../support/test-app.ts";
import { testOptions, testRouter } from "../support/test-router.ts";

type Test = Awaited<ReturnType<typeof createTestAuth>>;
const asAlice = async (test: Test, scopes: string[] = []) =>
  testRouter.createCaller(await test.asUser({ username: "alice", scopes }));
const asNobody = (test: Test) => testRouter.createCaller(test.asNobody());

/** A call by `createCaller`, and what it throws. */
const refusals: readonly [code: TRPCError["code"], reason: string, call: (test: Test) => Promise<unknown>][] = [
  ["UNAUTHORIZED", "TOKEN_MISSING", (test) => asNobody(test).whoami()],
  [
    "UNAUTHORIZED",
    "TOKEN_EXPIRED",
    async (test) => {
      const alice = await asAlice(test);
      await test.clock.advance({ minutes: 20 });
      return alice.whoami();
    },
  ],
  [
    "UNAUTHORIZED",
    "SESSION_REVOKED",
    async (test) => {
      const alice = await asAlice(test);
      await (await asAlice(test)).auth.sessions.revokeOthers();
      return alice.whoami();
    },
  ],
  ["FORBIDDEN", "INSUFFICIENT_SCOPE", async (test) => (await asAlice(test, ["notes:write"])).read()],
  ["FORBIDDEN", "INSUFFICIENT_ROLE", async (test) => (await asAlice(test)).tidy()],
  [
    "FORBIDDEN",
    "FRESH_LOGIN_REQUIRED",
    async (test) => {
      const alice = await asAlice(test);
      await test.clock.advance({ minutes: 6 });
      return alice.dangerous();
    },
  ],
  ["UNAUTHORIZED", "INVALID_CREDENTIALS", (test) => asNobody(test).auth.login({ username: "alice", password })],
  [
    "CONFLICT",
    "USERNAME_TAKEN",
    async (test) => {
      await asNobody(test).auth.register({ username: "alice", password });
      return asNobody(test).auth.register({ username: "alice", password });
    },
  ],
  ["BAD_REQUEST", "WEAK_PASSWORD", (test) => asNobody(test).auth.register({ username: "alice", password: "short" })],
  ["UNAUTHORIZED", "TOKEN_INVALID", (test) => asNobody(test).auth.refresh({ refreshToken: "v1.AAAA" })],
  [
    "NOT_FOUND",
    "NOT_FOUND",
    async (test) =>
      testRouter
        .createCaller(await test.asUser({ username: "root", roles: ["admin"] }))
        .users.get({ id: "01900000-0000-7000-8000-000000000000" as never }),
  ],
];

describe("a context that outlives its first call", () => {
  it("is refused when its token has expired", async () => {
    await using test = await createTestAuth(testOptions);
    const alice = await asAlice(test);
    await alice.whoami();
    await test.clock.advance({ minutes: 16 });
    await expect(alice.whoami()).rejects.toMatchObject({ cause: { reason: "TOKEN_EXPIRED" } });
  });

  it("is refused when its session has ended", async () => {
    await using test = await createTestAuth(testOptions);
    const alice = await asAlice(test);
    await alice.whoami();
    await alice.auth.logout({});
    await expect(alice.whoami()).rejects.toMatchObject({ cause: { reason: "SESSION_REVOKED" } });
  });
});

describe("asUser, called without types,", () => {
  it.each([
    ["a role", { username: "mod", roles: ["moderatr"] }, '"roles" must be of: "admin", "moderator"'],
    ["a scope", { username: "mod", scopes: ["notes:fly"] }, '"scope" may have: notes:read notes:write notes:moderate'],
  ])("refuses %s that is not declared: a test would else prove nothing", async (_, user, message) => {
    await using test = await createTestAuth(testOptions);
    await expect(test.asUser(user)).rejects.toThrow(message);
  });
});

describe("createCaller throws a TRPCError", () => {
  it.each(refusals)("%s with the reason %s in its cause", async (code, reason, call) => {
    await using test = await createTestAuth(testOptions);
    const error = await call(test).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(TRPCError);
    expect(error).toMatchObject({ code, cause: { name: "AuthError", reason, message: (error as TRPCError).message } });
  });

  it("TOO_MANY_REQUESTS with the wait in its cause", async () => {
    await using test = await createTestAuth({ ...testOptions, limits: { loginsPerAccount: 1 } });
    const login = () => asNobody(test).auth.login({ username: "alice", password });
    await expect(login()).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    await expect(login()).rejects.toMatchObject({
      code: "TOO_MANY_REQUESTS",
      cause: { data: { reason: "RATE_LIMITED", details: { retryAfter: 900 } } },
    });
  });

  it("BAD_REQUEST with the validator's error for an input of the wrong shape", async () => {
    await using test = await createTestAuth(testOptions);
    const call = (await asAlice(test)).write({ text: 5 } as never);
    await expect(call).rejects.toMatchObject({ code: "BAD_REQUEST", cause: { issues: [{ path: ["text"] }] } });
  });
});

describe("asUser", () => {
  it("makes the account at the first mention, and signs the same one in again", async () => {
    await using test = await createTestAuth(testOptions);
    const first = await (await asAlice(test)).whoami();
    const second = await (await asAlice(test)).whoami();
    expect(second.accountId).toBe(first.accountId);
    expect(second.sessionId).not.toBe(first.sessionId);
  });

  it("gives the roles and scopes that it is asked for", async () => {
    await using test = await createTestAuth(testOptions);
    const mo = testRouter.createCaller(
      await test.asUser({ username: "mo", roles: ["moderator"], scopes: ["notes:moderate"] }),
    );
    expect(await mo.whoami()).toMatchObject({ roles: ["moderator"], scopes: ["notes:moderate"] });
  });
});
