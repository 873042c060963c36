import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { createNetwork } from "../support/network.ts";
import { bearer, refresh, signIn } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

/** An application with users of its own. */
function userTable() {
  const users = new Map([
    ["17", { id: "17", username: "alice", email: "alice@example.com", roles: ["moderator"], version: 1 }],
    ["18", { id: "18", username: "bob", email: null, roles: [] as string[], version: 1 }],
  ]);
  return {
    users,
    options: {
      async authenticate(given: { username: string; password: string }) {
        const user = [...users.values()].find(({ username }) => username === given.username);
        return user !== undefined && given.password === password ? user : null;
      },
      findAccount: async (id: string) => users.get(id) ?? null,
    },
  };
}

describe("with the application's own user table", () => {
  it("its users sign in, with its ids and roles, and our sessions and tokens", async () => {
    const { users, options } = userTable();
    await using app = await testApp(options);
    const client = app.client();
    const user = await client.login({ username: "alice", password });
    expect(user).toEqual({ id: "17", username: "alice", email: "alice@example.com", roles: ["moderator"] });
    expect(await client.trpc.tidy.mutate()).toBe("tidied");
    expect(await client.trpc.moderate.mutate()).toBe("moderated");
    expect(await client.trpc.auth.me.query()).toEqual(user);
    // The table is the application's own: it may change without a word.
    users.set("17", { id: "17", username: "alice", email: "alice@new.example", roles: ["moderator"], version: 1 });
    expect(await client.trpc.auth.me.query()).toEqual({ ...user, email: "alice@new.example" });
    expect(await client.trpc.whoami.query()).toMatchObject({ accountId: "17", claims: { shoutedName: "ALICE" } });
    await client.logout();
    await expectReason(client.login({ username: "alice", password: "wrong" }), "INVALID_CREDENTIALS");
    await expectReason(client.login({ username: "carol", password }), "INVALID_CREDENTIALS");
  });

  it("guesses are limited as with ours", async () => {
    await using app = await testApp({ ...userTable().options, limits: { loginsPerAccount: 1 } });
    const guess = () => app.client().login({ username: "alice", password: "wrong" });
    await expectReason(guess(), "INVALID_CREDENTIALS");
    await expectReason(guess(), "RATE_LIMITED");
  });

  it("what would change accounts is closed", async () => {
    await using app = await testApp(userTable().options);
    await expectReason(app.client().register({ username: "carol", password }), "REGISTRATION_CLOSED");
    const alice = bearer(app, await signIn(app));
    const change = { currentPassword: password, newPassword: "an even better horse battery" };
    await expectReason(alice.auth.changePassword.mutate(change), "REGISTRATION_CLOSED");
    await expectReason(alice.account.update.mutate({ username: "alicia" }), "REGISTRATION_CLOSED");
    await expectReason(alice.account.remove.mutate(), "REGISTRATION_CLOSED");
    await expectReason(alice.account.keep.mutate(), "REGISTRATION_CLOSED");
    expect(await alice.account.get.query()).toMatchObject({ username: "alice", editable: false });
    const page = await app.request("/setup", { redirect: "manual" });
    expect([page.status, page.headers.get("location")]).toEqual([303, "/sign-in"]);
    const { setupCode: code } = await app.auth.start();
    const body = new URLSearchParams({ code, username: "root", password });
    const form = await app.request("/setup", { method: "POST", body, headers: { origin: app.url } });
    expect([form.status, await form.text()]).toEqual([403, expect.stringContaining("REGISTRATION_CLOSED")]);
  });

  it("a token is made anew from the table at every refresh", async () => {
    const { users, options } = userTable();
    await using app = await testApp(options);
    const session = await signIn(app, "bob");
    users.set("18", { id: "18", username: "robert", email: null, roles: ["moderator"], version: 2 });
    const next = await refresh(app, session);
    expect(next.user).toMatchObject({ username: "robert", roles: ["moderator"] });
    expect(await bearer(app, next).tidy.mutate()).toBe("tidied");
  });

  it("accountChanged makes older tokens expire at once, and a client refreshes unnoticed", async () => {
    const { users, options } = userTable();
    await using app = await testApp(options);
    const network = createNetwork();
    const client = app.client(network.fetch);
    await client.login({ username: "bob", password });
    await expectReason(client.trpc.tidy.mutate(), "INSUFFICIENT_ROLE");
    users.set("18", { id: "18", username: "bob", email: null, roles: ["moderator"], version: 2 });
    await app.auth.accountChanged({ id: "18", version: 2 });

    network.sent.length = 0;
    expect(await client.trpc.tidy.mutate()).toBe("tidied");
    expect(network.sent).toEqual(["tidy", "auth.refresh", "tidy"]);
  });

  it("accountChanged leaves tokens of that version, and other accounts, alone", async () => {
    await using app = await testApp(userTable().options);
    const [alice, bob] = [await signIn(app, "alice"), await signIn(app, "bob")];
    await app.auth.accountChanged({ id: "17", version: 1 });
    await bearer(app, alice).whoami.query();
    await app.auth.accountChanged({ id: "17", version: 2 });
    await expectReason(bearer(app, alice).whoami.query(), "TOKEN_EXPIRED");
    await bearer(app, bob).whoami.query();
  });

  it("accountChanged with endSessions signs the account out everywhere", async () => {
    await using app = await testApp(userTable().options);
    const sessions = [await signIn(app, "alice"), await signIn(app, "alice")];
    const bob = await signIn(app, "bob");
    await app.auth.accountChanged({ id: "17", version: 2, endSessions: true });
    for (const session of sessions) {
      await expectReason(bearer(app, session).whoami.query(), "SESSION_REVOKED");
      await expectReason(refresh(app, session), "SESSION_REVOKED");
    }
    await refresh(app, bob);
  });

  it("a user who is gone loses the session at the next refresh", async () => {
    const { users, options } = userTable();
    await using app = await testApp(options);
    const client = app.client();
    await client.login({ username: "alice", password });
    const session = await signIn(app, "alice");
    users.delete("17");
    await expectReason(refresh(app, session), "ACCOUNT_DISABLED");
    await expectReason(refresh(app, session), "SESSION_REVOKED");
    await expectReason(bearer(app, session).whoami.query(), "SESSION_REVOKED");
    expect(await bearer(app, session).auth.session.query()).toBeNull();

    await app.clock.advance({ minutes: 16 });
    await expectReason(client.trpc.whoami.query(), "ACCOUNT_DISABLED");
    expect(client.session).toEqual({ status: "signed-out", reason: "ACCOUNT_DISABLED" });
  });

  it("a user who is gone is nobody to whom is shown who they are", async () => {
    const { users, options } = userTable();
    await using app = await testApp(options);
    const alice = bearer(app, await signIn(app));
    users.delete("17");
    await expectReason(alice.auth.me.query(), "SESSION_REVOKED");
    await expectReason(alice.account.get.query(), "SESSION_REVOKED");
    expect(await alice.auth.session.query()).toBeNull();
  });

  it("the person's own sessions are theirs to list and end", async () => {
    await using app = await testApp(userTable().options);
    const [here, there] = [await signIn(app, "alice"), await signIn(app, "alice")];
    expect(await bearer(app, here).auth.sessions.list.query()).toHaveLength(2);
    await bearer(app, here).auth.sessions.revokeOthers.mutate();
    await expectReason(bearer(app, there).whoami.query(), "SESSION_REVOKED");
  });

  it("asUser signs in a user of that table, by id", async () => {
    const { users, options } = userTable();
    await using app = await testApp(options);
    const { auth } = await app.asUser("17");
    expect(await auth.principal()).toMatchObject({ accountId: "17", username: "alice" });
    users.clear();
    await expect(app.asUser("17")).rejects.toThrow(TypeError);
  });

  it("users.* has none of its users: our table is empty", async () => {
    const { users, options } = userTable();
    users.set("1", { id: "1", username: "root", email: null, roles: ["admin"], version: 1 });
    await using app = await testApp(options);
    const root = bearer(app, await signIn(app, "root")).users;
    expect((await root.list.query()).accounts).toEqual([]);
    await expectReason(root.create.mutate({ username: "carol", password }), "REGISTRATION_CLOSED");
    await expectReason(root.get.query({ id: "17" as never }), "NOT_FOUND");
  });
});

it("authenticate and findAccount need each other", async () => {
  const { options } = userTable();
  await expect(testApp({ authenticate: options.authenticate })).rejects.toThrow(
    /"authenticate" and "findAccount" need/,
  );
  await expect(testApp({ findAccount: options.findAccount })).rejects.toThrow(/"authenticate" and "findAccount" need/);
});

describe("a sign-in with the application's own user table", () => {
  it("that a password change overtakes is refused: once the old password got a session that outlived it", async () => {
    const { users, options } = userTable();
    const compared = Promise.withResolvers<void>();
    const changed = Promise.withResolvers<void>();
    await using app = await testApp({
      ...options,
      async authenticate(given) {
        const found = await options.authenticate(given);
        compared.resolve();
        await changed.promise;
        return found;
      },
    });
    const login = expectReason(app.client().login({ username: "alice", password }), "INVALID_CREDENTIALS");
    await compared.promise;
    const alice = users.get("17");
    if (alice !== undefined) users.set("17", { ...alice, version: 2 });
    await app.auth.accountChanged({ id: "17", version: 2, endSessions: true });
    changed.resolve();
    await login;
    const { db } = await app.auth.start();
    expect(await db.selectFrom("sessions").selectAll().execute()).toEqual([]);
    await app.client().login({ username: "alice", password });
  });

  it.each([
    ["an empty id", { id: "" }],
    ["an id that is too long", { id: "x".repeat(129) }],
    ["an empty username", { username: "" }],
    ["a version that is no whole number", { version: 1.5 }],
    ["a version below zero", { version: -1 }],
    ["a version that is not a number", { version: Number.NaN }],
  ])("fails at once for %s, which no token could carry", async (_, wrong) => {
    const { options } = userTable();
    await using app = await testApp({
      ...options,
      authenticate: async () => ({ id: "17", username: "alice", ...wrong }),
    });
    await expect(signIn(app)).rejects.toMatchObject({ code: "INTERNAL_SERVER_ERROR", cause: { name: "TypeError" } });
  });

  it("takes undefined, as a look-up in a list returns it, for nobody", async () => {
    const { options } = userTable();
    // What JavaScript does, and TypeScript would not let pass.
    const authenticate = (async () => undefined) as unknown as typeof options.authenticate;
    await using app = await testApp({ ...options, authenticate });
    await expectReason(app.client().login({ username: "alice", password }), "INVALID_CREDENTIALS");
  });

  it("never goes on as somebody else, whatever findAccount returns", async () => {
    const { users, options } = userTable();
    await using app = await testApp({ ...options, findAccount: async () => users.get("18") ?? null });
    const session = await signIn(app);
    await expect(refresh(app, session)).rejects.toMatchObject({ code: "INTERNAL_SERVER_ERROR" });
  });

  it("ends as expired, not as stolen, when its time runs out while the account is looked up", async () => {
    const { users, options } = userTable();
    let lookUp = async () => {};
    await using app = await testApp({
      ...options,
      refreshTtlSeconds: 3_600,
      async findAccount(id: string) {
        await lookUp();
        return users.get(id) ?? null;
      },
    });
    const session = await signIn(app);
    await app.clock.advance({ minutes: 59 });
    lookUp = () => app.clock.advance({ minutes: 1 });
    await expectReason(refresh(app, session), "TOKEN_EXPIRED");
  });
});

it.each([
  ["no version", { version: undefined as unknown as number }],
  ["a version that is not a number", { version: Number.NaN }],
  ["an empty id", { id: "" }],
])("accountChanged with %s throws: once it resolved, and revoked nothing", async (_, wrong) => {
  await using app = await testApp(userTable().options);
  const session = await signIn(app);
  await expect(app.auth.accountChanged({ id: "17", version: 2, endSessions: true, ...wrong })).rejects.toThrow(
    TypeError,
  );
  expect(await bearer(app, session).auth.me.query()).toMatchObject({ username: "alice" });
});
