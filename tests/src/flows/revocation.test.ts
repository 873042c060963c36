import type { SignedIn } from "@countersign/shared/schemas";
import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { bearer, refresh, signIn, signUp, usersMe } from "../support/people.ts";
import { type TestApp, testApp } from "../support/test-app.ts";

/** Nothing that was issued from the session is good any more. */
async function expectEnded(app: TestApp, session: SignedIn): Promise<void> {
  await expectReason(bearer(app, session).whoami.query(), "SESSION_REVOKED");
  expect(await (await usersMe(app, session)).json()).toMatchObject({ reason: "SESSION_REVOKED" });
  await expectReason(refresh(app, session), "SESSION_REVOKED");
  expect(await bearer(app, session).auth.session.query()).toBeNull();
}

async function expectAlive(app: TestApp, session: SignedIn): Promise<void> {
  expect(await bearer(app, session).read.query()).toBe("read");
}

describe("logout", () => {
  it("ends the session of the refresh token, at once", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    await expectAlive(app, session);
    const caller = app.auth.router.createCaller(app.asNobody());
    expect(await caller.logout({ refreshToken: session.refreshToken })).toEqual({ revoked: 1 });
    await expectEnded(app, session);
  });

  it("ends the session of the access token when there is no refresh token", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    expect(await bearer(app, session).auth.logout.mutate()).toEqual({ revoked: 1 });
    await expectEnded(app, session);
  });

  it("ends the session of the refresh token, whoever's access token comes with it", async () => {
    await using app = await testApp();
    const alice = await signUp(app, "alice");
    const bob = await signUp(app, "bob");
    await bearer(app, bob).auth.logout.mutate({ refreshToken: alice.refreshToken });
    await expectEnded(app, alice);
    await expectAlive(app, bob);
  });

  it("needs no good access token beside the refresh token", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    await app.clock.advance({ hours: 1 });
    await expectReason(bearer(app, session).auth.logout.mutate(), "TOKEN_EXPIRED");
    expect(await bearer(app, session).auth.logout.mutate({ refreshToken: session.refreshToken })).toEqual({
      revoked: 1,
    });
    await expectReason(refresh(app, session), "SESSION_REVOKED");
  });

  it("takes a refresh token that has been rotated since", async () => {
    await using app = await testApp();
    const first = await signUp(app);
    const second = await refresh(app, first);
    await app.clock.advance({ minutes: 5 });
    await bearer(app, first).auth.logout.mutate({ refreshToken: first.refreshToken });
    await expectEnded(app, second);
  });

  it("answers the second time as the first, and ends nothing more", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const caller = app.auth.router.createCaller(app.asNobody());
    await caller.logout({ refreshToken: session.refreshToken });
    expect(await caller.logout({ refreshToken: session.refreshToken })).toEqual({ revoked: 0 });
    expect(await bearer(app, session).auth.logout.mutate()).toEqual({ revoked: 0 });
  });

  it("leaves the other sessions of the account alone", async () => {
    await using app = await testApp();
    const [here, there] = [await signUp(app), await signIn(app)];
    await bearer(app, here).auth.logout.mutate();
    await expectAlive(app, there);
  });

  it("refuses a caller who names no session, and one whose token is made up", async () => {
    await using app = await testApp();
    const { refreshToken } = await signUp(app);
    const caller = app.auth.router.createCaller(app.asNobody());
    await expectReason(caller.logout(), "TOKEN_MISSING");
    await expectReason(caller.logout({ refreshToken: "v1.AAAA" }), "TOKEN_INVALID");
    // The last character that carries six whole bits of the proof.
    const forged = `${refreshToken.slice(0, -2)}${refreshToken.at(-2) === "A" ? "B" : "A"}${refreshToken.at(-1)}`;
    await expectReason(caller.logout({ refreshToken: forged }), "TOKEN_INVALID");
    await using other = await testApp();
    await signUp(other);
    const { refreshToken: elsewhere } = await signUp(other, "bob");
    await expectReason(caller.logout({ refreshToken: elsewhere }), "TOKEN_INVALID");
    await caller.refresh({ refreshToken });
  });
});

describe("sessions.list", () => {
  it("has the caller's live sessions, the latest used first, and marks the one that asks", async () => {
    await using app = await testApp();
    await signUp(app, "bob");
    const first = await signUp(app, "alice");
    await app.clock.advance({ minutes: 1 });
    const client = app.client((input, init) =>
      fetch(String(input), {
        ...(init as RequestInit),
        headers: { ...(init?.headers as object), "user-agent": "Tricorder/1" },
      }),
    );
    await client.login({ username: "alice", password: "correct horse battery staple" });
    const asked = await client.trpc.auth.sessions.list.query();
    expect(asked).toMatchObject([
      { current: true, userAgent: "Tricorder/1", address: "127.0.0.1" },
      { current: false, userAgent: null, address: null },
    ]);
    expect(asked[0]?.createdAt).toEqual(new Date(app.clock.now()));

    await app.clock.advance({ minutes: 1 });
    await refresh(app, first);
    const [latest] = await client.trpc.auth.sessions.list.query();
    expect(latest).toMatchObject({ current: false, lastUsedAt: new Date(app.clock.now()) });
  });

  it("has neither ended nor expired ones", async () => {
    await using app = await testApp();
    const old = await signUp(app);
    const ended = await signIn(app);
    await bearer(app, ended).auth.logout.mutate();
    expect(await bearer(app, old).auth.sessions.list.query()).toHaveLength(1);
    await app.clock.advance({ days: 30 });
    const now = await signIn(app);
    const sessions = await bearer(app, now).auth.sessions.list.query();
    expect(sessions.map(({ current }) => current)).toEqual([true]);
    await expectReason(refresh(app, old), "TOKEN_EXPIRED");
  });
});

describe("sessions.revoke", () => {
  it("ends a session of the caller's, and says whether there was one", async () => {
    await using app = await testApp();
    const [here, there] = [await signUp(app), await signIn(app)];
    const other = (await bearer(app, here).auth.sessions.list.query()).find(({ current }) => !current);
    const id = other?.id as NonNullable<typeof other>["id"];
    expect(await bearer(app, here).auth.sessions.revoke.mutate({ id })).toEqual({ revoked: 1 });
    await expectEnded(app, there);
    await expectAlive(app, here);
    expect(await bearer(app, here).auth.sessions.revoke.mutate({ id })).toEqual({ revoked: 0 });
  });

  it("cannot touch another account's session, nor tell that it exists", async () => {
    await using app = await testApp();
    const [alice, bob] = [await signUp(app, "alice"), await signUp(app, "bob")];
    const [session] = await bearer(app, bob).auth.sessions.list.query();
    const id = session?.id as NonNullable<typeof session>["id"];
    expect(await bearer(app, alice).auth.sessions.revoke.mutate({ id })).toEqual({ revoked: 0 });
    await expectAlive(app, bob);
  });
});

describe("sessions.revokeOthers", () => {
  it("ends every session of the account but the one that asks", async () => {
    await using app = await testApp();
    const here = await signUp(app, "alice");
    const others = [await signIn(app), await signIn(app)];
    const stranger = await signUp(app, "bob");
    expect(await bearer(app, here).auth.sessions.revokeOthers.mutate()).toEqual({ revoked: 2 });
    for (const other of others) await expectEnded(app, other);
    await expectAlive(app, here);
    await expectAlive(app, stranger);
  });
});
