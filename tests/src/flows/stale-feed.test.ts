import { describe, expect, it } from "vitest";
import { capturedLog } from "../support/captured-log.ts";
import { expectReason } from "../support/expect-reason.ts";
import { failingDatabase } from "../support/failing-database.ts";
import { administrator, bearer, signIn, signUp, usersMe } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

/** Turns the clock past the point where the feed counts as stale, while it cannot be read. */
async function goStale(app: TestApp): Promise<void> {
  await expect(app.clock.advance({ seconds: 6 })).rejects.toMatchObject({ reason: "UNAVAILABLE" });
}

const feed = /from "feed_events"/;
const everything = /./;

it("a feed that has moved to another database refuses whoever is signed in", async () => {
  await using app = await testApp();
  const session = await signUp(app);
  const { db } = await app.auth.start();
  await db
    .insertInto("feed_events")
    .values({ created_at: app.clock.now(), kind: "moved", subject: "the other database", version: null })
    .execute();
  await app.clock.advance({ seconds: 1 });
  await expectReason(bearer(app, session).whoami.query(), "UNAVAILABLE");
});

describe("a feed that has not been read for more than five seconds", () => {
  it("makes a protected call ask the rows, which know of a revocation by another node", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const [ended, alive] = [await signUp(app, "alice"), await signUp(app, "bob")];
    const { db } = await app.auth.start();
    // As another node would: this one's memory knows nothing of it.
    await db
      .updateTable("sessions")
      .set({ revoked_at: 1, revoked_reason: "signed_out" })
      .where("account_id", "=", ended.user.id)
      .execute();
    await bearer(app, ended).whoami.query();

    store.fails = feed;
    await goStale(app);
    await expectReason(bearer(app, ended).whoami.query(), "SESSION_REVOKED");
    await bearer(app, alive).whoami.query();
  });

  it("makes a protected call ask for the account's version, too", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const [changed, same] = [await signUp(app, "alice"), await signUp(app, "bob")];
    const { db } = await app.auth.start();
    await db.updateTable("accounts").set({ version: 2 }).where("id", "=", changed.user.id).execute();
    await bearer(app, changed).whoami.query();

    store.fails = feed;
    await goStale(app);
    await expectReason(bearer(app, changed).whoami.query(), "TOKEN_EXPIRED");
    await bearer(app, same).whoami.query();
  });

  it.each([
    { gone: "session", reason: "SESSION_REVOKED" },
    { gone: "account", reason: "TOKEN_EXPIRED" },
  ] as const)("makes a protected call refuse when the $gone is gone", async ({ gone, reason }) => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const session = await signUp(app);
    const { db } = await app.auth.start();
    store.fails = feed;
    await goStale(app);
    await bearer(app, session).whoami.query();
    const { id } = session.user;
    if (gone === "session") await db.deleteFrom("sessions").where("account_id", "=", id).execute();
    else await db.deleteFrom("accounts").where("id", "=", id).execute();
    await expectReason(bearer(app, session).whoami.query(), reason);
  });

  it("asks no row again once it has been read", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const session = await signUp(app);
    store.fails = feed;
    await goStale(app);
    store.fails = null;
    await app.clock.advance({ seconds: 1 });
    store.statements.length = 0;
    await bearer(app, session).whoami.query();
    expect(store.statements).toEqual([]);
  });

  it("is no matter for five seconds", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const session = await signUp(app);
    store.fails = everything;
    await expect(app.clock.advance({ seconds: 5 })).rejects.toThrow();
    store.statements.length = 0;
    await bearer(app, session).whoami.query();
    expect(store.statements).toEqual([]);
  });

  it("is told by GET /readyz, and GET /healthz goes on", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    expect((await app.request("/readyz")).status).toBe(200);
    store.fails = feed;
    await goStale(app);
    const reply = await app.request("/readyz");
    expect([reply.status, reply.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await reply.json()).toEqual({ status: "unavailable", problem: "The feed was last read 6 seconds ago." });
    expect((await app.request("/healthz")).status).toBe(200);
  });
});

describe("a database that cannot be written", () => {
  it("is told by GET /readyz, and again when it is well", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const status = async () => (await app.request("/readyz")).status;
    expect(await status()).toBe(200);
    store.fails = /^(insert|update|delete)/i;
    // Whoever asks within a second gets the same answer, so that asking is no way to keep the disk busy.
    expect(await status()).toBe(200);
    await app.clock.advance({ seconds: 1 });
    const reply = await app.request("/readyz");
    expect(await reply.json()).toEqual({ status: "unavailable", problem: "The database cannot be written." });
    store.fails = null;
    await app.clock.advance({ seconds: 1 });
    expect(await status()).toBe(200);
  });
});

describe("a feed that cannot be read after a change", () => {
  it("does not make what is done look as if it were not", async () => {
    const store = failingDatabase();
    const { log, lines } = capturedLog();
    await using app = await testApp({ log }, store);
    const session = await signUp(app);
    store.fails = /select .* from "feed_events"/i;
    await bearer(app, session).auth.changePassword.mutate({
      currentPassword: password,
      newPassword: "another long pass phrase",
    });
    store.fails = null;
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: "warn",
        message: "a change was made, and the feed could not be read after it",
      }),
    );
    await app.client().login({ username: "alice", password: "another long pass phrase" });
    await app.clock.advance({ seconds: 1 });
    await expectReason(bearer(app, session).whoami.query(), "TOKEN_EXPIRED");
  });
});

describe("a database that is gone", () => {
  it("leaves signed-in callers their tokens until they expire, by default", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const session = await signUp(app);
    store.fails = everything;
    await goStale(app);
    await bearer(app, session).whoami.query();
    expect(await bearer(app, session).read.query()).toBe("read");
    await expect(app.clock.advance({ minutes: 15 })).rejects.toThrow();
    await expectReason(bearer(app, session).whoami.query(), "TOKEN_EXPIRED");
  });

  it("leaves a session that this node knows to be revoked revoked", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const session = await signUp(app);
    await bearer(app, session).auth.logout.mutate();
    store.fails = everything;
    await goStale(app);
    await expectReason(bearer(app, session).whoami.query(), "SESSION_REVOKED");
  });

  it("answers UNAVAILABLE to signed-in callers with the policy closed, and nothing to the public", async () => {
    const store = failingDatabase();
    await using app = await testApp({ onStoreDown: "closed" }, store);
    const session = await signUp(app);
    store.fails = everything;
    await goStale(app);
    expect(await expectReason(bearer(app, session).whoami.query(), "UNAVAILABLE")).toEqual({ retryAfter: 1 });
    expect((await usersMe(app, session)).status).toBe(503);
    expect(await bearer(app, session).ping.query()).toBe("pong");
    store.fails = null;
    await bearer(app, session).whoami.query();
  });

  it.each(["open", "closed"] as const)(
    "refuses what demands a recent sign-in, with the policy %s",
    async (onStoreDown) => {
      const store = failingDatabase();
      await using app = await testApp({ onStoreDown }, store);
      const session = await signUp(app);
      store.fails = everything;
      await goStale(app);
      await expectReason(bearer(app, session).dangerous.mutate(), "UNAVAILABLE");
      store.fails = null;
      expect(await bearer(app, session).dangerous.mutate()).toBe("done");
    },
  );

  it("answers UNAVAILABLE to who signs in, and signs them in when it is back", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    await signUp(app);
    const users = await administrator(app);
    store.fails = everything;
    await expectReason(signIn(app), "UNAVAILABLE");
    await expectReason(users.list(), "UNAVAILABLE");
    store.fails = null;
    await signIn(app);
  });
});
