/** What a person does to their own account, and sees of it. */
import type { SignedIn } from "@countersign/shared/schemas";
import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { administrator, bearer, signIn, signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

const accountOf = (app: TestApp, session: SignedIn) => bearer(app, session).account;
const graceDays = 14;

async function kinds(app: TestApp, session: SignedIn): Promise<string[]> {
  const { events } = await accountOf(app, session).events.query({ limit: 100 });
  return events.map(({ kind }) => kind);
}

describe("account.update", () => {
  it("changes the names that a person signs in with; what was left out stays", async () => {
    await using app = await testApp();
    const before = await signUp(app);
    const changed = await accountOf(app, before).update.mutate({ email: "Alice@example.com" });
    expect(changed).toMatchObject({ username: "alice", email: "Alice@example.com" });
    const again = await signIn(app, "alice@EXAMPLE.com");
    expect(await accountOf(app, again).update.mutate({ username: "Alicia" })).toMatchObject({
      username: "Alicia",
      email: "Alice@example.com",
    });
    await expectReason(signIn(app, "alice"), "INVALID_CREDENTIALS");
    const last = await signIn(app, "alicia");
    expect(await accountOf(app, last).update.mutate({ email: null })).toMatchObject({ email: null });
    await expectReason(signIn(app, "alice@example.com"), "INVALID_CREDENTIALS");
    await accountOf(app, await signIn(app, "alicia")).update.mutate({ username: "Alicia", email: null });
    const changes = (await kinds(app, await signIn(app, "alicia"))).filter((kind) => kind === "profile_changed");
    expect(changes).toHaveLength(3);
  });

  it("refuses a name that somebody else has, however it is written", async () => {
    await using app = await testApp();
    await accountOf(app, await signUp(app, "bob")).update.mutate({ email: "bob@example.com" });
    const alice = accountOf(app, await signUp(app));
    await expectReason(alice.update.mutate({ username: "BOB" }), "USERNAME_TAKEN");
    await expectReason(alice.update.mutate({ email: "BOB@example.com" }), "EMAIL_TAKEN");
    expect(await alice.get.query()).toMatchObject({ username: "alice", email: null });
  });

  it("counts as a registration does: it tells whose a name is", async () => {
    await using app = await testApp({ limits: { registrationsPerAddress: 1 } });
    const alice = accountOf(app, await signUp(app));
    const changed = await alice.update.mutate({ username: "alicia" });
    expect(changed.username).toBe("alicia");
    const again = accountOf(app, await signIn(app, "alicia"));
    await expectReason(again.update.mutate({ username: "bob" }), "RATE_LIMITED");
    // What changes nothing tells nothing.
    expect(await again.update.mutate({ username: "alicia" })).toMatchObject({ username: "alicia" });
  });

  it("needs a recent sign-in, as the deletion does", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    await app.clock.advance({ minutes: 6 });
    await expectReason(accountOf(app, session).update.mutate({ email: "a@example.com" }), "FRESH_LOGIN_REQUIRED");
    await expectReason(accountOf(app, session).remove.mutate(), "FRESH_LOGIN_REQUIRED");
    expect(await accountOf(app, session).get.query()).toMatchObject({ email: null, deletedAfter: null });
  });
});

it("account.get of an account whose row is gone, by hand, is of a session that is gone", async () => {
  await using app = await testApp();
  const alice = await signUp(app);
  const { db } = await app.auth.start();
  await db.deleteFrom("accounts").execute();
  await expectReason(accountOf(app, alice).get.query(), "SESSION_REVOKED");
});

describe("account.remove", () => {
  it("signs out everywhere, and says when it is deleted", async () => {
    await using app = await testApp();
    const [here, there] = [await signUp(app), await signIn(app)];
    const { deletedAfter } = await accountOf(app, here).remove.mutate();
    expect(deletedAfter.getTime()).toBe(app.clock.now() + graceDays * 86_400_000);
    for (const session of [here, there]) await expectReason(bearer(app, session).whoami.query(), "SESSION_REVOKED");
  });

  it("is taken back by whoever signs in within the grace", async () => {
    await using app = await testApp();
    await accountOf(app, await signUp(app)).remove.mutate();
    await app.clock.advance({ seconds: 1 });
    const back = await signIn(app);
    expect((await accountOf(app, back).get.query()).deletedAfter).not.toBeNull();
    expect(await accountOf(app, back).keep.mutate()).toMatchObject({ deletedAfter: null });
    const again = await signIn(app);
    expect(await accountOf(app, again).keep.mutate()).toMatchObject({ deletedAfter: null });
    const last = await signIn(app);
    expect((await kinds(app, last)).filter((kind) => kind.startsWith("deletion"))).toEqual([
      "deletion_cancelled",
      "deletion_requested",
    ]);
  });

  it("is refused to the last who administers, and to nobody else", async () => {
    await using app = await testApp();
    const chief = await signUp(app, "chief");
    const users = await administrator(app);
    await users.setRoles({ id: chief.user.id, roles: ["admin"] });
    const { accounts } = await users.list({ search: "root" });
    const root = accounts[0] ?? expect.fail();
    await users.disable({ id: root.id });
    const last = await signIn(app, "chief");
    await expectReason(accountOf(app, last).remove.mutate(), "LAST_ADMIN");
    await bearer(app, last).users.enable.mutate({ id: root.id });
    expect((await accountOf(app, last).remove.mutate()).deletedAfter).toBeInstanceOf(Date);
    // Of two, one is going to be deleted: the other one is the last.
    const rest = await administrator(app);
    const listed = await rest.list({});
    expect(listed.accounts.filter(({ deletedAfter }) => deletedAfter !== null)).toMatchObject([{ id: chief.user.id }]);
    for (const call of [
      () => rest.disable({ id: root.id }),
      () => rest.remove({ id: root.id }),
      () => rest.setRoles({ id: root.id, roles: [] }),
    ]) {
      await expectReason(call(), "LAST_ADMIN");
    }
    expect(await rest.setRoles({ id: root.id, roles: ["admin", "moderator"] })).toMatchObject({ disabled: false });
  });

  it("counts nobody whose password ends, who is going to be deleted, or has a role of nearly that name", async () => {
    await using app = await testApp();
    const chief = await signUp(app, "chief");
    const others = await Promise.all(["temporary", "leaving", "nearly"].map((name) => signUp(app, name)));
    const { db } = await app.auth.start();
    const admins = [chief, ...others].map(({ user }) => user.id);
    await db.updateTable("accounts").set({ roles: '["admin"]', version: 2 }).where("id", "in", admins).execute();
    const [temporary, , nearly] = others.map(({ user }) => user.id);
    const last = await signIn(app, "chief");
    await accountOf(app, await signIn(app, "leaving")).remove.mutate();
    await bearer(app, last).users.setTemporaryPassword.mutate({ id: temporary ?? chief.user.id });
    const roles = '["Admin","admin-of-nothing"]';
    await db
      .updateTable("accounts")
      .set({ roles })
      .where("id", "=", nearly ?? chief.user.id)
      .execute();
    await expectReason(accountOf(app, last).remove.mutate(), "LAST_ADMIN");
  });

  it("of two administrators who go at once, one stays", async () => {
    await using app = await testApp();
    const made = await Promise.all(["chief", "deputy"].map((username) => signUp(app, username)));
    const users = await administrator(app);
    for (const { user } of made) await users.setRoles({ id: user.id, roles: ["admin"] });
    const root = (await users.list({ search: "root" })).accounts[0] ?? expect.fail();
    await users.disable({ id: root.id });
    const both = [await signIn(app, "chief"), await signIn(app, "deputy")];
    const gone = await Promise.allSettled(both.map((session) => accountOf(app, session).remove.mutate()));
    expect(gone.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });
});

describe("account.events", () => {
  it("are a person's own, the newest first, page by page, and of the kinds that were asked for", async () => {
    await using app = await testApp();
    const alice = await signUp(app);
    await signUp(app, "bob");
    for (let time = 0; time < 3; time += 1) {
      await app.clock.advance({ minutes: 1 });
      await expectReason(app.client().login({ username: "alice", password: "wrong" }), "INVALID_CREDENTIALS");
      await app.clock.advance({ seconds: 1 });
      await signIn(app);
    }
    expect(await kinds(app, alice)).toEqual([
      ...[1, 2, 3].flatMap(() => ["sign_in", "sign_in_failed"]),
      // Of one millisecond.
      expect.stringMatching(/^sign_in$|^account_registered$/),
      expect.stringMatching(/^sign_in$|^account_registered$/),
    ]);
    const mine = accountOf(app, alice);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await mine.events.query({ limit: 2, kinds: ["sign_in"], ...(cursor && { cursor }) });
      expect(page.events.length).toBeLessThanOrEqual(2);
      seen.push(...page.events.map(({ id, kind }) => `${kind} ${id}`));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(4);
    expect(seen.every((event) => event.startsWith("sign_in "))).toBe(true);
    for (const bad of ["x' or 1=1", `9999999999999999.${alice.user.id}`, `1.${"-".repeat(36)}`])
      await expectReason(mine.events.query({ cursor: bad }), "BAD_REQUEST");
  });

  it("say what an administrator did, and neither who nor from where", async () => {
    await using app = await testApp();
    const alice = await signUp(app);
    await (await administrator(app)).setRoles({ id: alice.user.id, roles: ["moderator"] });
    const { db } = await app.auth.start();
    await db.updateTable("audit_events").set({ address: "203.0.113.9", user_agent: "Chief's" }).execute();
    const { events } = await accountOf(app, await signIn(app)).events.query({ kinds: ["roles_changed"] });
    expect(events).toMatchObject([{ byAdministrator: true, details: { roles: ["moderator"] } }]);
    expect(events[0]).toMatchObject({ address: null, userAgent: null });
    expect(events[0]).not.toHaveProperty("actor");
  });
});

describe("a temporary password", () => {
  it("signs in until it ends, and until its owner has one of their own", async () => {
    await using app = await testApp();
    const { user } = await signUp(app);
    const users = await administrator(app);
    const login = (secret: string) =>
      app.auth.router.createCaller(app.asNobody()).login({ username: "alice", password: secret });

    const first = await users.setTemporaryPassword({ id: user.id });
    await expectReason(login(password), "INVALID_CREDENTIALS");
    const session = await login(first.password);
    expect((await accountOf(app, session).get.query()).passwordExpiresAt).toEqual(first.expiresAt);
    const own = "an even better horse battery";
    await bearer(app, session).auth.changePassword.mutate({ currentPassword: first.password, newPassword: own });
    await app.clock.advance({ days: 4 });
    expect((await accountOf(app, await login(own)).get.query()).passwordExpiresAt).toBeNull();

    // Nobody makes one for themselves: it would sign them out before they see it.
    const chief = await app.asUser({ username: "root", roles: ["admin"] });
    const { id } = await app.auth.accountRouter.createCaller(chief).get();
    await expectReason(app.auth.usersRouter.createCaller(chief).setTemporaryPassword({ id }), "BAD_REQUEST");

    const second = await (await administrator(app)).setTemporaryPassword({ id: user.id });
    expect(second.password).not.toBe(first.password);
    await app.clock.advance({ days: 3, minutes: -1 });
    const last = bearer(app, await login(second.password));
    await app.clock.advance({ minutes: 2 });
    await expectReason(login(second.password), "INVALID_CREDENTIALS");
    // Nor is it a current password, in a session that began with it.
    const change = last.auth.changePassword.mutate({ currentPassword: second.password, newPassword: own });
    await expectReason(change, "INVALID_CREDENTIALS");
    // What an administrator sets by hand is good for as long as any.
    await (await administrator(app)).setPassword({ id: user.id, password });
    await login(password);
    // A release before this one writes a hash, and knows of nothing that ends.
    const { db } = await app.auth.start();
    const { password_hash } = await db
      .selectFrom("accounts")
      .selectAll()
      .where("id", "=", user.id)
      .executeTakeFirstOrThrow();
    await (await administrator(app)).setTemporaryPassword({ id: user.id });
    await db.updateTable("accounts").set({ password_hash }).where("id", "=", user.id).execute();
    await app.clock.advance({ days: 4 });
    await login(password);
  });
});
