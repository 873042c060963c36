/** Subscriptions over server-sent events, and what ends them: the token, the session, the account, the store. */
import { describe, expect, it } from "vitest";
import { boardOf } from "../support/board.ts";
import { expectReason } from "../support/expect-reason.ts";
import { failingDatabase } from "../support/failing-database.ts";
import { administrator, bearer, refresh, signIn, signUp } from "../support/people.ts";
import { subscribe } from "../support/subscriber.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import { sharedDatabase } from "../support/test-database.ts";

type Session = Awaited<ReturnType<typeof signUp>>;
type Ending = readonly [
  what: string,
  reason: "TOKEN_EXPIRED" | "SESSION_REVOKED",
  end: (app: TestApp, session: Session) => Promise<unknown>,
];

/** What ends a subscription of alice's, and the reason that she is told. Bob signs in after the clock is turned. */
const endings: readonly Ending[] = [
  ["its session is signed out", "SESSION_REVOKED", (app, session) => bearer(app, session).auth.logout.mutate()],
  [
    "its session is ended elsewhere",
    "SESSION_REVOKED",
    async (app) => bearer(app, await signIn(app)).auth.sessions.revokeOthers.mutate(),
  ],
  [
    "its account loses a role",
    "TOKEN_EXPIRED",
    async (app, { user }) => (await administrator(app)).setRoles({ id: user.id, roles: [] }),
  ],
  [
    "its account's password is changed",
    "TOKEN_EXPIRED",
    (app, session) =>
      bearer(app, session).auth.changePassword.mutate({
        currentPassword: password,
        newPassword: "an even better horse battery",
      }),
  ],
  [
    "its account is disabled",
    "SESSION_REVOKED",
    async (app, { user }) => (await administrator(app)).disable({ id: user.id }),
  ],
  [
    "its account is removed",
    "SESSION_REVOKED",
    async (app, { user }) => (await administrator(app)).remove({ id: user.id }),
  ],
  [
    "an old refresh token of its session is used again",
    "SESSION_REVOKED",
    async (app, session) => {
      await refresh(app, await refresh(app, session));
      await app.clock.advance({ minutes: 1 });
      await expectReason(refresh(app, session), "SESSION_REUSED");
    },
  ],
];

describe("an idle subscription ends at once, and its resolver with it, when", () => {
  it.for(endings)("%s: %s", async ([what, reason, end]) => {
    await using app = await testApp();
    const session = await signUp(app);
    await (await administrator(app)).setRoles({ id: session.user.id, roles: ["moderator"] });
    const alice = await refresh(app, session);
    const bob = await signUp(app, "bob");
    const board = boardOf(what);
    board.pin("first");
    using hers = subscribe(app.url, alice, what);
    using his = subscribe(app.url, bob, what);
    await Promise.all([hers.has(1), his.has(1)]);

    await end(app, alice);
    await expectReason(hers.ended, reason);
    // On the connection that was open: a client that had to come again to be told would have been connecting twice.
    expect(hers.states).toEqual(["connecting", "pending"]);
    await board.readersAre(1);

    board.pin("second");
    await his.has(2);
    expect([hers.notes, his.notes]).toEqual([["first"], ["first", "second"]]);
  });

  it("its token expires, with the tolerance that the verifier grants: TOKEN_EXPIRED", async () => {
    await using app = await testApp();
    const board = boardOf("expiry");
    using subscriber = subscribe(app.url, await signUp(app), "expiry");
    await board.readersAre(1);
    await app.clock.advance({ minutes: 15, seconds: 4 });
    board.pin("still here");
    await subscriber.has(1);
    await app.clock.advance({ seconds: 1 });
    await expectReason(subscriber.ended, "TOKEN_EXPIRED");
    await board.readersAre(0);
  });

  it("the other node ended its session, and this one has read the feed", async () => {
    await using shared = await sharedDatabase();
    await using here = await testApp({}, { database: shared.open() });
    await using there = await testApp({}, { database: shared.open() });
    const session = await signUp(here);
    const board = boardOf("two nodes");
    using subscriber = subscribe(there.url, session, "two nodes");
    await board.readersAre(1);
    await bearer(here, session).auth.logout.mutate();
    await there.clock.advance({ seconds: 1 });
    await expectReason(subscriber.ended, "SESSION_REVOKED");
  });

  it("the key of its token was compromised, and not when a key is replaced in peace", async () => {
    await using app = await testApp();
    const board = boardOf("keys");
    using subscriber = subscribe(app.url, await signUp(app), "keys");
    await board.readersAre(1);
    const { keys } = await app.auth.start();
    await keys.rotate();
    await app.clock.advance({ seconds: 1 });
    board.pin("still here");
    await subscriber.has(1);
    await keys.rotate({ compromised: true });
    await app.clock.advance({ seconds: 1 });
    await expectReason(subscriber.ended, "TOKEN_INVALID");
  });
});

describe("a subscription whose caller may not open it", () => {
  it.for([
    ["without a token", "TOKEN_INVALID", null],
    ["without the scope", "INSUFFICIENT_SCOPE", "notes:write"],
  ] as const)("%s is told: %s", async ([, reason, scope]) => {
    await using app = await testApp();
    await signUp(app);
    const holder = scope === null ? { accessToken: "none" } : await signIn(app, "alice", scope);
    using subscriber = subscribe(app.url, holder, "closed");
    await expectReason(subscriber.ended, reason);
  });
});

describe("a subscription while the feed is stale", () => {
  const goStale = (app: TestApp) => expect(app.clock.advance({ seconds: 6 })).rejects.toThrow();

  it("ends with UNAVAILABLE where the store's loss closes, and its client comes again by itself", async () => {
    const store = failingDatabase();
    await using app = await testApp({ onStoreDown: "closed" }, store);
    const board = boardOf("stale and closed");
    using subscriber = subscribe(app.url, await signUp(app), "stale and closed");
    await board.readersAre(1);
    store.fails = /./;
    await goStale(app);
    await subscriber.was("connecting UNAVAILABLE");
    await board.readersAre(0);
    // Nothing is opened on a memory that may be wrong, though the rows could be asked: they would have to be asked for ever.
    await subscriber.was("connecting UNAVAILABLE", 2);
    store.fails = null;
    await app.clock.advance({ seconds: 1 });
    board.pin("after the outage");
    await subscriber.has(1);
  });

  it("goes on where it leaves them open, until its token expires", async () => {
    const store = failingDatabase();
    await using app = await testApp({ onStoreDown: "open" }, store);
    const board = boardOf("stale and open");
    using subscriber = subscribe(app.url, await signUp(app), "stale and open");
    await board.readersAre(1);
    store.fails = /./;
    await goStale(app);
    board.pin("in the outage");
    await subscriber.has(1);
    await expect(app.clock.advance({ minutes: 15 })).rejects.toThrow();
    await expectReason(subscriber.ended, "TOKEN_EXPIRED");
  });
});

describe("a public subscription", () => {
  it("goes on, whatever happens to the sign-in of who reads it", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const board = boardOf("public");
    using subscriber = subscribe(app.url, session, "public", "publicLive");
    await board.readersAre(1);
    await bearer(app, session).auth.logout.mutate();
    await app.clock.advance({ days: 1 });
    board.pin("for everyone");
    await subscriber.has(1);
    const { feed } = await app.auth.start();
    expect(feed.listeners()).toBe(0);
  });
});
