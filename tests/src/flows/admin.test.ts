/** What administrators see and do of the server itself. */
import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { administrator, bearer, refresh, signIn, signUp } from "../support/people.ts";
import { type TestApp, testApp } from "../support/test-app.ts";

async function adminOf(app: TestApp) {
  return app.auth.adminRouter.createCaller(await app.asUser({ username: "root", roles: ["admin"] }));
}

describe("admin", () => {
  it("is for administrators", async () => {
    await using app = await testApp();
    const nobody = app.auth.adminRouter.createCaller(app.asNobody());
    const moderator = app.auth.adminRouter.createCaller(await app.asUser({ username: "mo", roles: ["moderator"] }));
    for (const call of ["events", "activity", "health"] as const) {
      await expectReason(nobody[call](), "TOKEN_MISSING");
      await expectReason(moderator[call](), "INSUFFICIENT_ROLE");
    }
    await expectReason(moderator.keys.list(), "INSUFFICIENT_ROLE");
    await expectReason(moderator.keys.rotate(), "INSUFFICIENT_ROLE");
  });
});

describe("admin.events", () => {
  it("are everyone's, with whose they are and who did it", async () => {
    await using app = await testApp();
    const { user } = await signUp(app);
    await (await administrator(app)).disable({ id: user.id });
    const admin = await adminOf(app);
    const { events } = await admin.events({ kinds: ["account_disabled"] });
    expect(events).toMatchObject([
      { account: { id: user.id, username: "alice" }, actor: { username: "root" }, byAdministrator: true },
    ]);
  });

  it("are found by account, by kind, and before a time", async () => {
    await using app = await testApp();
    const { user } = await signUp(app);
    await signUp(app, "bob");
    await app.clock.advance({ minutes: 10 });
    const noon = new Date(app.clock.now());
    await app.clock.advance({ minutes: 10 });
    await signIn(app);
    const admin = await adminOf(app);
    const count = async (input: Parameters<typeof admin.events>[0]) => (await admin.events(input)).events.length;
    expect(await count({ accountId: user.id })).toBe(3);
    expect(await count({ accountId: user.id, before: noon })).toBe(2);
    expect(await count({ accountId: user.id, kinds: ["sign_in"], before: noon })).toBe(1);
    expect(await count({ kinds: ["account_registered"] })).toBe(2);
  });

  it("of a rare kind are found however far back, page after page", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await signUp(app);
    const { db, now } = await app.auth.start();
    // As many as are looked through at once, and some more, all later than what is looked for.
    for (let page = 0; page < 21; page += 1) {
      const rows = Array.from({ length: 500 }, (_, index) => ({
        id: `01990000-0000-7000-8000-${String(page * 500 + index).padStart(12, "0")}`,
        at: now() + 1_000 + page * 500 + index,
        kind: "sign_in_failed",
        details: "{}",
      }));
      await db.insertInto("audit_events").values(rows).execute();
    }
    const admin = await adminOf(app);
    const first = await admin.events({ kinds: ["account_registered"] });
    expect(first.events).toEqual([]);
    const second = await admin.events({ kinds: ["account_registered"], cursor: first.nextCursor ?? "" });
    expect(second.events).toMatchObject([{ account: { username: "alice" } }]);
    expect(second.nextCursor).toBeNull();
  });
});

describe("admin.activity", () => {
  it("counts sign-ins, failures and refreshes by the hour", async () => {
    await using app = await testApp();
    const alice = await signUp(app);
    const once = await refresh(app, alice);
    await expectReason(app.client().login({ username: "alice", password: "wrong" }), "INVALID_CREDENTIALS");
    await app.clock.advance({ minutes: 60 });
    await refresh(app, once);
    const admin = await adminOf(app);
    expect(await admin.activity()).toMatchObject([
      { signIns: 1, failedSignIns: 1, refreshes: 1 },
      // The administrator's own.
      { signIns: 1, failedSignIns: 0, refreshes: 1 },
    ]);
    await app.clock.advance({ minutes: 60 * 25 });
    // But for who asks.
    expect(await (await adminOf(app)).activity({ days: 1 })).toMatchObject([{ signIns: 1, refreshes: 0 }]);
  });

  it("adds up what several nodes counted, and what was counted while the database was away", async () => {
    await using app = await testApp();
    await signUp(app);
    const { tally, db } = await app.auth.start();
    await tally.write();
    await db.schema.alterTable("tallies").renameTo("elsewhere").execute();
    await signIn(app);
    await expect(tally.write()).rejects.toThrow();
    await db.schema.alterTable("elsewhere").renameTo("tallies").execute();
    const [hour] = await (await adminOf(app)).activity();
    // Alice's two, and the administrator's.
    expect(hour).toMatchObject({ signIns: 3 });
  });
});

describe("admin.keys", () => {
  it("rotate after a recent sign-in, with who did it in the audit", async () => {
    await using app = await testApp();
    const chief = await signUp(app, "chief");
    await (await administrator(app)).setRoles({ id: chief.user.id, roles: ["admin"] });
    const session = await signIn(app, "chief");
    const { admin } = bearer(app, session);
    const [current] = await admin.keys.list.query();
    const next = await admin.keys.rotate.mutate({ immediately: true });
    expect((await admin.keys.list.query()).map(({ kid, status }) => [kid, status])).toEqual([
      [current?.kid, "former"],
      [next.kid, "current"],
    ]);
    const { events } = await admin.events.query({ kinds: ["key_rotated"] });
    expect(events).toMatchObject([{ actor: { username: "chief" }, details: { kid: next.kid } }]);
    await app.clock.advance({ minutes: 6 });
    await expectReason(admin.keys.rotate.mutate({ compromised: true }), "FRESH_LOGIN_REQUIRED");
  });
});

describe("admin.health", () => {
  it("says when the database cannot be written", async () => {
    await using app = await testApp();
    const admin = await adminOf(app);
    expect(await admin.health()).toMatchObject({ database: { writeMs: expect.any(Number) } });
    const { db } = await app.auth.start();
    await db.schema.alterTable("attempts").renameTo("elsewhere").execute();
    expect(await admin.health()).toMatchObject({ database: { writeMs: null } });
  });
});
