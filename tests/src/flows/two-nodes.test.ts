import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { administrator, bearer, refresh, signIn, signUp } from "../support/people.ts";
import { type TestApp, testApp } from "../support/test-app.ts";
import { sharedDatabase } from "../support/test-database.ts";

/** Two servers on one database. A clock that is turned lets its node read the feed. */
async function twoNodes() {
  const shared = await sharedDatabase();
  const here = await testApp({}, { database: shared.open() });
  const there = await testApp({}, { database: shared.open() });
  return {
    here,
    there,
    async [Symbol.asyncDispose]() {
      await here[Symbol.asyncDispose]();
      await there[Symbol.asyncDispose]();
      await shared[Symbol.asyncDispose]();
    },
  };
}

const poll = (node: TestApp) => node.clock.advance({ seconds: 1 });

describe("two nodes on one database", () => {
  it("take each other's tokens, and rotate one session between them", async () => {
    await using nodes = await twoNodes();
    const first = await signUp(nodes.here);
    await bearer(nodes.there, first).whoami.query();
    const second = await refresh(nodes.there, first);
    expect((await refresh(nodes.here, first)).refreshToken).toBe(second.refreshToken);
    await refresh(nodes.here, second);
  });

  it("see a revocation of the other's when they have read the feed", async () => {
    await using nodes = await twoNodes();
    const session = await signUp(nodes.here);
    const bystander = await signUp(nodes.here, "bob");
    await bearer(nodes.there, session).whoami.query();
    await bearer(nodes.here, session).auth.logout.mutate();
    // The first node knows at once, and the second when it has read the feed, or was told.
    await expectReason(bearer(nodes.here, session).whoami.query(), "SESSION_REVOKED");
    await poll(nodes.there);
    await expectReason(bearer(nodes.there, session).whoami.query(), "SESSION_REVOKED");
    await bearer(nodes.there, bystander).whoami.query();
  });

  it("see a change of roles, a new password and a disabled account", async () => {
    await using nodes = await twoNodes();
    const users = await administrator(nodes.here);
    const session = await signUp(nodes.here);
    await users.setRoles({ id: session.user.id, roles: ["moderator"] });
    await poll(nodes.there);
    await expectReason(bearer(nodes.there, session).tidy.mutate(), "TOKEN_EXPIRED");
    const promoted = await refresh(nodes.there, session);
    expect(await bearer(nodes.there, promoted).tidy.mutate()).toBe("tidied");

    await users.setPassword({ id: session.user.id, password: "an even better horse battery" });
    await poll(nodes.there);
    await expectReason(bearer(nodes.there, promoted).tidy.mutate(), "SESSION_REVOKED");
  });

  it("trust what they know of a session or an account no further than the rows, whatever the feed has not told yet", async () => {
    await using nodes = await twoNodes();
    const users = await administrator(nodes.here);
    const sessions = [await signUp(nodes.here), await signUp(nodes.here, "bob"), await signUp(nodes.here, "carol")];
    // Now each is known there, its account included.
    const [alice, bob, carol] = await Promise.all(sessions.map((session) => refresh(nodes.there, session)));
    if (alice === undefined || bob === undefined || carol === undefined) throw new Error("three signed up");
    await users.setRoles({ id: alice.user.id, roles: ["moderator"] });
    await bearer(nodes.here, bob).auth.logout.mutate();
    await users.remove({ id: carol.user.id });
    // The feed there was not read since.
    expect((await refresh(nodes.there, alice)).user.roles).toEqual(["moderator"]);
    await expectReason(refresh(nodes.there, bob), "SESSION_REVOKED");
    await expectReason(refresh(nodes.there, carol), "SESSION_REVOKED");
  });

  it("see what was revoked before they started", async () => {
    await using shared = await sharedDatabase();
    await using here = await testApp({}, { database: shared.open() });
    const [ended, changed] = [await signUp(here, "alice"), await signUp(here, "bob")];
    await bearer(here, ended).auth.logout.mutate();
    await (await administrator(here)).setRoles({ id: changed.user.id, roles: ["moderator"] });
    await using late = await testApp({}, { database: shared.open() });
    await expectReason(bearer(late, ended).whoami.query(), "SESSION_REVOKED");
    await expectReason(bearer(late, changed).whoami.query(), "TOKEN_EXPIRED");
  });

  it("find a reuse of a refresh token that the other rotated", async () => {
    await using nodes = await twoNodes();
    const first = await signUp(nodes.here);
    const second = await refresh(nodes.there, first);
    await refresh(nodes.there, second);
    await expectReason(refresh(nodes.here, first), "SESSION_REUSED");
    await poll(nodes.there);
    await expectReason(bearer(nodes.there, second).whoami.query(), "SESSION_REVOKED");
  });

  it("drop a compromised key, also when the keys could not be read at first", async () => {
    await using shared = await sharedDatabase();
    let isAway = false;
    const onStatement = (sql: string) => {
      if (isAway && sql.includes('from "signing_keys"')) throw new Error("the disk is away");
    };
    await using here = await testApp({}, { database: shared.open() });
    await using there = await testApp({}, { database: shared.open({ onStatement }) });
    const session = await signUp(here);
    await bearer(there, session).whoami.query();
    const { keys } = await here.auth.start();
    await keys.rotate({ compromised: true });
    isAway = true;
    await expect(poll(there)).rejects.toThrow();
    isAway = false;
    await poll(there);
    await expectReason(bearer(there, session).whoami.query(), "TOKEN_INVALID");
  });

  it("count guesses together", async () => {
    await using shared = await sharedDatabase();
    const limits = { loginsPerAccount: 2 };
    await using here = await testApp({ limits }, { database: shared.open() });
    await using there = await testApp({ limits }, { database: shared.open() });
    await signUp(here);
    const guess = (node: TestApp) => node.client().login({ username: "alice", password: "wrong" });
    await expectReason(guess(here), "INVALID_CREDENTIALS");
    await expectReason(guess(there), "INVALID_CREDENTIALS");
    await expectReason(guess(here), "RATE_LIMITED");
    await expectReason(signIn(there), "RATE_LIMITED");
  });
});
