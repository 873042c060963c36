import type { SignedIn } from "@countersign/shared/schemas";
import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { administrator } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

/** The server's own procedures, called without a network: what a foreign client would see. */
async function signIn(app: TestApp): Promise<{
  first: SignedIn;
  refresh: (refreshToken: string) => Promise<SignedIn>;
  me: (accessToken: string) => Promise<Response>;
}> {
  const caller = app.auth.router.createCaller(app.asNobody());
  const first = await caller.register({ username: "alice", password });
  return {
    first,
    refresh: (refreshToken) => caller.refresh({ refreshToken }),
    me: (accessToken) => app.request("/users/me", { headers: { authorization: `Bearer ${accessToken}` } }),
  };
}

describe("refresh", () => {
  it("gives a new access token and the next refresh token", async () => {
    await using app = await testApp();
    const { first, refresh, me } = await signIn(app);
    await app.clock.advance({ minutes: 16 });
    expect((await me(first.accessToken)).status).toBe(401);
    const second = await refresh(first.refreshToken);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect((await me(second.accessToken)).status).toBe(200);
  });

  it("gives the same successor again, however late, to whoever knows what the refresh was called", async () => {
    await using app = await testApp();
    const { first } = await signIn(app);
    const caller = app.auth.router.createCaller(app.asNobody());
    const named = { refreshToken: first.refreshToken, attempt: "a name of at least 22 characters" };
    const second = await caller.refresh(named);
    await app.clock.advance({ days: 3 });
    expect((await caller.refresh(named)).refreshToken).toBe(second.refreshToken);
    const { db } = await app.auth.start();
    expect(JSON.stringify(await db.selectFrom("sessions").select("rotated_by").execute())).not.toContain("a name");
  });

  it.each([
    ["another name", { attempt: "another name of 22 characters" }],
    ["no name", {}],
  ])("takes an old token with %s for a stolen one", async (_, name) => {
    await using app = await testApp();
    const { first } = await signIn(app);
    const caller = app.auth.router.createCaller(app.asNobody());
    await caller.refresh({ refreshToken: first.refreshToken, attempt: "a name of at least 22 characters" });
    await app.clock.advance({ minutes: 1 });
    const stolen = caller.refresh({ refreshToken: first.refreshToken, ...name });
    await expect(stolen).rejects.toMatchObject({ cause: { reason: "SESSION_REUSED" } });
  });

  it("takes the token of a refresh that its successor was used after for a stolen one, whatever it is called", async () => {
    await using app = await testApp();
    const { first } = await signIn(app);
    const caller = app.auth.router.createCaller(app.asNobody());
    const named = { refreshToken: first.refreshToken, attempt: "a name of at least 22 characters" };
    const second = await caller.refresh(named);
    await caller.refresh({ refreshToken: second.refreshToken });
    await app.clock.advance({ minutes: 1 });
    await expect(caller.refresh(named)).rejects.toMatchObject({ cause: { reason: "SESSION_REUSED" } });
  });

  it("gives the same successor again within the grace, however often it is asked", async () => {
    await using app = await testApp();
    const { first, refresh } = await signIn(app);
    const second = await refresh(first.refreshToken);
    await app.clock.advance({ seconds: 30 });
    const again = await Promise.all([refresh(first.refreshToken), refresh(first.refreshToken)]);
    expect(again.map(({ refreshToken }) => refreshToken)).toEqual([second.refreshToken, second.refreshToken]);
  });

  it("gives twenty callers at once one successor", async () => {
    await using app = await testApp();
    const { first, refresh } = await signIn(app);
    const all = await Promise.all(Array.from({ length: 20 }, () => refresh(first.refreshToken)));
    expect(new Set(all.map(({ refreshToken }) => refreshToken)).size).toBe(1);
  });

  it("ends the session when a token comes back after the grace", async () => {
    await using app = await testApp();
    const { first, refresh, me } = await signIn(app);
    const second = await refresh(first.refreshToken);
    await app.clock.advance({ seconds: 31 });
    await expectReason(refresh(first.refreshToken), "SESSION_REUSED");
    await expectReason(refresh(second.refreshToken), "SESSION_REUSED");
    expect((await me(second.accessToken)).status).toBe(401);
    const { db } = await app.auth.start();
    const kinds = await db.selectFrom("audit_events").select("kind").execute();
    expect(kinds.filter(({ kind }) => kind === "refresh_reused")).toHaveLength(1);
  });

  it("ends the session when a grandparent comes back, even within the grace", async () => {
    await using app = await testApp();
    const { first, refresh } = await signIn(app);
    const second = await refresh(first.refreshToken);
    await refresh(second.refreshToken);
    await expectReason(refresh(first.refreshToken), "SESSION_REUSED");
  });

  it("ends by disuse, and at last however much it is used", async () => {
    await using app = await testApp({ refreshTtlSeconds: 7 * 86_400, sessionTtlSeconds: 10 * 86_400 });
    const { first, refresh } = await signIn(app);
    await app.clock.advance({ days: 6 });
    const second = await refresh(first.refreshToken);
    await app.clock.advance({ days: 3 });
    const third = await refresh(second.refreshToken);
    await app.clock.advance({ days: 1 });
    await expectReason(refresh(third.refreshToken), "TOKEN_EXPIRED");

    const other = await app.auth.router.createCaller(app.asNobody()).login({ username: "alice", password });
    await app.clock.advance({ days: 7 });
    await expectReason(refresh(other.refreshToken), "TOKEN_EXPIRED");
  });

  it.each([
    ["not a token", "hello"],
    ["another version", "v2.AaIMrodRd16"],
    ["an empty body", "v1."],
  ])("refuses %s", async (_, refreshToken) => {
    await using app = await testApp();
    const { refresh } = await signIn(app);
    await expectReason(refresh(refreshToken), "TOKEN_INVALID");
  });

  it("refuses a token with any one character changed, and leaves the session alone", async () => {
    await using app = await testApp();
    const { first, refresh } = await signIn(app);
    for (let index = 0; index < first.refreshToken.length; index += 1) {
      const changed = first.refreshToken[index] === "A" ? "B" : "A";
      const forged = first.refreshToken.slice(0, index) + changed + first.refreshToken.slice(index + 1);
      await expectReason(refresh(forged), "TOKEN_INVALID");
    }
    await refresh(first.refreshToken);
  });

  it.each([
    {
      meanwhile: "signed out",
      reason: "SESSION_REVOKED",
      happen: async (app: TestApp, first: SignedIn) => {
        await app.auth.router.createCaller(app.asNobody()).refresh({ refreshToken: first.refreshToken });
        await (await administrator(app)).sessions.revokeAll({ id: first.user.id });
      },
    },
    {
      meanwhile: "forgotten",
      reason: "TOKEN_INVALID",
      happen: async (app: TestApp) => {
        const { db } = await app.auth.start();
        await db.deleteFrom("sessions").execute();
      },
    },
  ] as const)("refuses a session that is $meanwhile while its token is made", async ({ reason, happen }) => {
    let whileMade = async () => {};
    await using app = await testApp({ claims: () => whileMade().then(() => ({})) });
    const { first, refresh } = await signIn(app);
    whileMade = async () => {
      whileMade = async () => {};
      await happen(app, first);
    };
    await expectReason(refresh(first.refreshToken), reason);
  });

  it("refuses a disabled account, and ends its session", async () => {
    await using app = await testApp();
    const { first, refresh } = await signIn(app);
    const { db } = await app.auth.start();
    await db.updateTable("accounts").set({ disabled_at: 1 }).where("id", "=", first.user.id).execute();
    await expectReason(refresh(first.refreshToken), "ACCOUNT_DISABLED");
    await expectReason(refresh(first.refreshToken), "SESSION_REVOKED");
  });

  it("keeps to the scopes of the sign-in, and drops those that the account has lost", async () => {
    await using app = await testApp();
    const caller = app.auth.router.createCaller(app.asNobody());
    const { user } = await caller.register({ username: "alice", password });
    const admin = app.auth.usersRouter.createCaller(await app.asUser({ username: "root", roles: ["admin"] }));
    await admin.setRoles({ id: user.id, roles: ["moderator"] });
    const narrow = await caller.login({ username: "alice", password, scope: "notes:read notes:moderate" });
    expect(narrow.scope).toBe("notes:read notes:moderate");
    await admin.setRoles({ id: user.id, roles: [] });
    expect((await caller.refresh({ refreshToken: narrow.refreshToken })).scope).toBe("notes:read");
  });
});
