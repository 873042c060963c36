import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { administrator, bearer, refresh, signIn, signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

/** What the audit says since it was asked last. */
async function auditOf(app: TestApp) {
  const { db } = await app.auth.start();
  const seen = new Set<string>();
  return async () => {
    const rows = await db.selectFrom("audit_events").selectAll().orderBy("at").execute();
    const fresh = rows.filter(({ id }) => !seen.has(id));
    for (const { id } of fresh) seen.add(id);
    return fresh.map((row) => ({ ...row, details: JSON.parse(row.details) as object }));
  };
}

const change = { currentPassword: password, newPassword: "an even better horse battery" };

describe("the audit", () => {
  it("has a registration and a sign-in, with who, when and from where", async () => {
    await using app = await testApp();
    const latest = await auditOf(app);
    let requestId: string | null = null;
    const client = app.client(async (input, init) => {
      const headers = { ...(init?.headers as object), "user-agent": "Tricorder/1" };
      const reply = await fetch(String(input), { ...(init as RequestInit), headers });
      requestId ??= reply.headers.get("x-request-id");
      return reply;
    });
    const { id } = await client.register({ username: "alice", password });
    const session = await client.trpc.auth.session.query();
    const caller = { at: app.clock.now(), address: "127.0.0.1", user_agent: "Tricorder/1", request_id: requestId };
    const rows = await latest();
    expect(rows).toHaveLength(2);
    expect(rows).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ...caller, kind: "account_registered", account_id: id, session_id: null }),
        expect.objectContaining({
          ...caller,
          kind: "sign_in",
          account_id: id,
          session_id: session?.id,
          actor_id: null,
        }),
      ]),
    );
  });

  it("has a failed sign-in, without the name that was typed", async () => {
    await using app = await testApp();
    const { user } = await signUp(app);
    const users = await administrator(app);
    const latest = await auditOf(app);
    await latest();
    await expectReason(app.client().login({ username: "hunter2", password: "wrong" }), "INVALID_CREDENTIALS");
    const [failed, ...more] = await latest();
    expect(more).toEqual([]);
    expect(failed).toMatchObject({ kind: "sign_in_failed", account_id: null, address: "127.0.0.1" });
    expect(JSON.stringify(failed)).not.toContain("hunter2");

    await users.disable({ id: user.id });
    await latest();
    await expectReason(signIn(app), "ACCOUNT_DISABLED");
    expect(await latest()).toMatchObject([
      { kind: "sign_in_failed", account_id: user.id, details: { disabled: true } },
    ]);
  });

  it("has the reuse of a refresh token, with the account and the session that it ended", async () => {
    await using app = await testApp();
    const first = await signUp(app);
    const session = await bearer(app, first).auth.session.query();
    await refresh(app, await refresh(app, first));
    const latest = await auditOf(app);
    await latest();
    await expectReason(refresh(app, first), "SESSION_REUSED");
    expect(await latest()).toMatchObject([
      {
        kind: "refresh_reused",
        account_id: first.user.id,
        session_id: session?.id,
        details: { reason: "reuse_detected" },
      },
    ]);
  });

  it("has each revocation, with its reason and who did it", async () => {
    await using app = await testApp();
    const sessions = [await signUp(app), await signIn(app), await signIn(app), await signIn(app)] as const;
    const ids = await Promise.all(
      sessions.map(async (session) => (await bearer(app, session).auth.session.query())?.id),
    );
    const accountId = sessions[0].user.id;
    const users = await administrator(app);
    const [root] = (await users.list({ search: "root" })).accounts;
    const latest = await auditOf(app);
    await latest();

    await bearer(app, sessions[0]).auth.logout.mutate();
    expect(await latest()).toMatchObject([
      {
        kind: "session_revoked",
        account_id: accountId,
        session_id: ids[0],
        actor_id: null,
        details: { reason: "signed_out" },
      },
    ]);
    await bearer(app, sessions[1]).auth.sessions.revoke.mutate({ id: ids[2] as never });
    expect(await latest()).toMatchObject([{ kind: "session_revoked", account_id: accountId, session_id: ids[2] }]);
    await users.sessions.revoke({ id: ids[3] as never });
    expect(await latest()).toMatchObject([
      {
        kind: "session_revoked",
        account_id: accountId,
        session_id: ids[3],
        actor_id: root?.id,
        details: { reason: "revoked_by_administrator" },
      },
    ]);
  });

  it("has nothing for ending what has ended", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    await bearer(app, session).auth.logout.mutate({ refreshToken: session.refreshToken });
    const latest = await auditOf(app);
    await latest();
    await bearer(app, session).auth.logout.mutate({ refreshToken: session.refreshToken });
    expect(await latest()).toEqual([]);
  });

  it("has a new password, and whose session set it", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const { id } = (await bearer(app, session).auth.session.query()) ?? {};
    const latest = await auditOf(app);
    await latest();
    await bearer(app, session).auth.changePassword.mutate(change);
    expect(await latest()).toMatchObject([{ kind: "password_changed", account_id: session.user.id, session_id: id }]);
  });

  it("has what an administrator does to an account, and which one", async () => {
    await using app = await testApp();
    const users = await administrator(app);
    const [root] = (await users.list({ search: "root" })).accounts;
    const latest = await auditOf(app);
    await latest();
    const { id } = await users.create({ username: "alice", password });
    await users.setRoles({ id, roles: ["moderator"] });
    await users.setPassword({ id, password: change.newPassword });
    await users.disable({ id });
    await users.enable({ id });
    await users.remove({ id });
    const rows = await latest();
    expect(rows.map(({ kind }) => kind).sort()).toEqual([
      "account_created",
      "account_disabled",
      "account_enabled",
      "account_removed",
      "password_changed",
      "roles_changed",
    ]);
    for (const row of rows) expect(row).toMatchObject({ account_id: id, actor_id: root?.id });
    expect(rows.find(({ kind }) => kind === "roles_changed")?.details).toEqual({ roles: ["moderator"] });
  });

  it("outlives the account", async () => {
    await using app = await testApp();
    const { user } = await signUp(app);
    await (await administrator(app)).remove({ id: user.id });
    const latest = await auditOf(app);
    expect((await latest()).filter(({ account_id }) => account_id === user.id).length).toBeGreaterThan(2);
  });
});
