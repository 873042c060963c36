import type { SignedIn } from "@countersign/shared/schemas";
import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { createNetwork } from "../support/network.ts";
import { administrator, bearer, refresh, signIn, signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

type Users = Awaited<ReturnType<typeof administrator>>;
const nobodysId = "01900000-0000-7000-8000-000000000000" as SignedIn["user"]["id"];
const newPassword = "an even better horse battery";

/** Each procedure, asked to act on an account. */
const procedures: readonly [name: string, call: (users: Users, id: SignedIn["user"]["id"]) => Promise<unknown>][] = [
  ["list", (users) => users.list()],
  ["get", (users, id) => users.get({ id })],
  ["create", (users) => users.create({ username: "carol", password })],
  ["setRoles", (users, id) => users.setRoles({ id, roles: ["moderator"] })],
  ["setPassword", (users, id) => users.setPassword({ id, password: newPassword })],
  ["disable", (users, id) => users.disable({ id })],
  ["enable", (users, id) => users.enable({ id })],
  ["remove", (users, id) => users.remove({ id })],
  ["sessions.list", (users, id) => users.sessions.list({ id })],
  ["setTemporaryPassword", (users, id) => users.setTemporaryPassword({ id })],
  ["sessions.revokeAll", (users, id) => users.sessions.revokeAll({ id })],
  ["sessions.revoke", (users) => users.sessions.revoke({ id: nobodysId as never })],
];

const onNobody = procedures.filter(
  ([name]) => !["list", "create", "sessions.list", "sessions.revoke", "sessions.revokeAll"].includes(name),
);

async function expectEnded(app: TestApp, session: SignedIn): Promise<void> {
  await expectReason(bearer(app, session).whoami.query(), "SESSION_REVOKED");
  await expectReason(refresh(app, session), "SESSION_REVOKED");
}

describe("users", () => {
  it.each(procedures)("%s is for administrators", async (_, call) => {
    await using app = await testApp();
    const { user } = await signUp(app, "alice");
    const as = async (who: string, roles: string[]) =>
      app.auth.usersRouter.createCaller(await app.asUser({ username: who, roles }));
    await expectReason(call(app.auth.usersRouter.createCaller(app.asNobody()), user.id), "TOKEN_MISSING");
    const refused = await expectReason(call(await as("mod", ["moderator"]), user.id), "INSUFFICIENT_ROLE");
    expect(refused).toEqual({ role: "admin" });
    await call(await as("root", ["admin"]), user.id);
  });

  it.each(onNobody)("%s says NOT_FOUND for an account that is not there", async (_, call) => {
    await using app = await testApp();
    await expectReason(call(await administrator(app), nobodysId), "NOT_FOUND");
  });

  it("are the same over the network, for an administrator who signed in", async () => {
    await using app = await testApp();
    await (await administrator(app)).create({ username: "chief", password, roles: ["admin"] });
    const client = app.client();
    await client.login({ username: "chief", password });
    const { accounts } = await client.trpc.users.list.query();
    expect(accounts.map(({ username }) => username)).toEqual(["chief", "root"]);
  });
});

describe("users.create", () => {
  it("makes an account with roles, which may sign in", async () => {
    await using app = await testApp();
    const users = await administrator(app);
    const created = await users.create({
      username: "Mo",
      email: "mo@example.com",
      password,
      roles: ["moderator", "moderator"],
    });
    expect(created).toEqual({
      id: expect.any(String),
      username: "Mo",
      email: "mo@example.com",
      roles: ["moderator"],
      disabled: false,
      createdAt: new Date(app.clock.now()),
      deletedAfter: null,
    });
    expect(await users.get({ id: created.id })).toEqual(created);
    expect((await signIn(app, "mo@example.com")).scope).toBe("notes:read notes:write notes:moderate");
  });

  it("holds new accounts to the rules of registration", async () => {
    await using app = await testApp();
    const users = await administrator(app);
    await users.create({ username: "alice", email: "a@example.com", password });
    await expectReason(users.create({ username: "ALICE", password }), "USERNAME_TAKEN");
    await expectReason(users.create({ username: "bob", email: "A@example.com", password }), "EMAIL_TAKEN");
    await expectReason(users.create({ username: "bob", password: "password123" }), "WEAK_PASSWORD");
  });

  it("works where registration is closed to strangers", async () => {
    await using app = await testApp({ registration: "closed" });
    await (await administrator(app)).create({ username: "alice", password });
    await signIn(app);
  });

  it("refuses a role that is not declared, and makes nothing", async () => {
    await using app = await testApp();
    const users = await administrator(app);
    const refused = await expectReason(
      users.create({ username: "alice", password, roles: ["emperor"] }),
      "BAD_REQUEST",
    );
    expect(refused.issues).toMatchObject([{ path: ["roles", 0] }]);
    expect((await users.list({ search: "alice" })).accounts).toEqual([]);
  });
});

describe("users.setRoles", () => {
  it("gives the new roles at the next call, through a refresh that nobody notices", async () => {
    await using app = await testApp();
    const network = createNetwork();
    const client = app.client(network.fetch);
    const { id } = await client.register({ username: "alice", password });
    await expectReason(client.trpc.tidy.mutate(), "INSUFFICIENT_ROLE");
    const users = await administrator(app);
    expect(await users.setRoles({ id, roles: ["moderator"] })).toMatchObject({ id, roles: ["moderator"] });

    network.sent.length = 0;
    expect(await client.trpc.tidy.mutate()).toBe("tidied");
    expect(await client.trpc.moderate.mutate()).toBe("moderated");
    expect(network.sent).toEqual(["tidy", "auth.refresh", "tidy", "moderate"]);
    expect(client.session).toMatchObject({
      user: { roles: ["moderator"] },
      scopes: expect.arrayContaining(["notes:moderate"]),
    });

    await users.setRoles({ id, roles: [] });
    await expectReason(client.trpc.tidy.mutate(), "INSUFFICIENT_ROLE");
    await expectReason(client.trpc.moderate.mutate(), "INSUFFICIENT_SCOPE");
  });

  it("refuses a role that is not declared, and changes nothing", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const users = await administrator(app);
    await expectReason(users.setRoles({ id: session.user.id, roles: ["moderator", "emperor"] }), "BAD_REQUEST");
    expect((await users.get({ id: session.user.id })).roles).toEqual([]);
    await bearer(app, session).read.query();
  });
});

describe("users.setPassword", () => {
  it("replaces the password and ends every session", async () => {
    await using app = await testApp();
    const sessions = [await signUp(app), await signIn(app)];
    const users = await administrator(app);
    await users.setPassword({ id: sessions[0]?.user.id as never, password: newPassword });
    for (const session of sessions) await expectEnded(app, session);
    await expectReason(signIn(app), "INVALID_CREDENTIALS");
    await app.client().login({ username: "alice", password: newPassword });
  });

  it("refuses a password that is too easy to guess, and ends nothing", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const users = await administrator(app);
    const weak = users.setPassword({ id: session.user.id, password: "Alice123!" });
    expect(await expectReason(weak, "WEAK_PASSWORD")).toEqual({ rule: "is_username", field: "password" });
    await bearer(app, session).read.query();
  });

  it("gives a password to an account that had none", async () => {
    await using app = await testApp();
    await app.asUser("alice");
    const users = await administrator(app);
    await expectReason(signIn(app), "INVALID_CREDENTIALS");
    const [alice] = (await users.list({ search: "alice" })).accounts;
    await users.setPassword({ id: alice?.id as never, password });
    await signIn(app);
  });
});

describe("users.disable and users.enable", () => {
  it("end every session and refuse new ones, until the account is enabled", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const users = await administrator(app);
    expect(await users.disable({ id: session.user.id })).toMatchObject({ disabled: true });
    expect(await users.disable({ id: session.user.id })).toMatchObject({ disabled: true });
    await expectEnded(app, session);
    await expectReason(signIn(app), "ACCOUNT_DISABLED");

    expect(await users.enable({ id: session.user.id })).toMatchObject({ disabled: false });
    await signIn(app);
    await expectEnded(app, session);
  });
});

describe("users.remove", () => {
  it("ends sessions and tokens, and leaves no account behind", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const bystander = await signUp(app, "bob");
    const users = await administrator(app);
    expect(await users.remove({ id: session.user.id })).toMatchObject({ username: "alice" });
    await expectEnded(app, session);
    await expectReason(users.get({ id: session.user.id }), "NOT_FOUND");
    await expectReason(users.remove({ id: session.user.id }), "NOT_FOUND");
    await expectReason(signIn(app), "INVALID_CREDENTIALS");
    await bearer(app, bystander).read.query();
  });

  it("frees the name for another account, which has nothing of the old one", async () => {
    await using app = await testApp();
    const users = await administrator(app);
    const old = await users.create({ username: "alice", password, roles: ["admin"] });
    await users.remove({ id: old.id });
    const { user, scope } = await signUp(app);
    expect(user.id).not.toBe(old.id);
    expect([user.roles, scope]).toEqual([[], "notes:read notes:write"]);
  });
});

describe("users.sessions", () => {
  it("lists an account's sessions, and ends one", async () => {
    await using app = await testApp();
    const [first, second] = [await signUp(app), await signIn(app)];
    await signUp(app, "bob");
    const users = await administrator(app);
    const sessions = await users.sessions.list({ id: first.user.id });
    expect(sessions).toHaveLength(2);
    const current = await bearer(app, first).auth.session.query();
    expect(await users.sessions.revoke({ id: current?.id as never })).toEqual({ revoked: 1 });
    expect(await users.sessions.revoke({ id: current?.id as never })).toEqual({ revoked: 0 });
    await expectEnded(app, first);
    await bearer(app, second).read.query();
    expect(await users.sessions.list({ id: first.user.id })).toHaveLength(1);
  });
});
