import type { AccountId, SessionId } from "@countersign/shared/schemas";
import { describe, expect, it } from "vitest";
import { assemble, realEffects } from "../create-auth.ts";
import { appendFeedEvent } from "../store/feed-events.ts";
import { sqlite } from "../store/sqlite.ts";
import { createTestAuth } from "../testing.ts";
import { startFeed } from "./feed.ts";
import { createFeedPublisher } from "./feed-publisher.ts";

const principal = { sessionId: "s1" as SessionId, accountId: "a1" as AccountId, version: 1 };

/** A feed of its own on a test's database, with a horizon of a minute. */
async function feedOn(test: Awaited<ReturnType<typeof createTestAuth>>, onKeysChanged = async () => {}) {
  const { db } = await test.auth.start();
  const append = (event: Parameters<typeof appendFeedEvent>[1]) => appendFeedEvent(db, event, test.clock.now());
  const feed = await startFeed({ db, now: test.clock.now, horizonMs: 60_000, onKeysChanged, onMoved: () => {} });
  return { feed, append, db };
}

describe("the feed", () => {
  it("knows a revocation when it has read it, and forgets it when no token can contradict it", async () => {
    await using test = await createTestAuth();
    const { feed, append } = await feedOn(test);
    await append({ kind: "session_revoked", subject: "s1", version: null });
    expect(feed.objectionTo(principal)).toBeNull();
    await feed.catchUp();
    expect(feed.objectionTo(principal)).toBe("SESSION_REVOKED");
    expect(feed.objectionTo({ ...principal, sessionId: "s2" as SessionId })).toBeNull();
    await test.clock.advance({ minutes: 1 });
    await feed.catchUp();
    expect(feed.objectionTo(principal)).toBe("SESSION_REVOKED");
    await test.clock.advance({ seconds: 1 });
    await feed.catchUp();
    expect(feed.objectionTo(principal)).toBeNull();
  });

  it("refuses versions before the highest that it has heard of, in whatever order it hears", async () => {
    await using test = await createTestAuth();
    const { feed, append } = await feedOn(test);
    for (const version of [3, 2]) await append({ kind: "account_changed", subject: "a1", version });
    await feed.catchUp();
    const versions = [1, 2, 3, 4].map((version) => feed.objectionTo({ ...principal, version }));
    expect(versions).toEqual(["TOKEN_EXPIRED", "TOKEN_EXPIRED", null, null]);
    expect(feed.objectionTo({ ...principal, accountId: "a2" as AccountId })).toBeNull();
  });

  it("says that a session is over before it says that the account has changed", async () => {
    await using test = await createTestAuth();
    const { feed, append } = await feedOn(test);
    await append({ kind: "account_changed", subject: "a1", version: 2 });
    await append({ kind: "session_revoked", subject: "s1", version: null });
    await feed.catchUp();
    expect(feed.objectionTo(principal)).toBe("SESSION_REVOKED");
  });

  it("gives who has written a read that began after the write, also while another is under way", async () => {
    await using test = await createTestAuth();
    const { feed, append } = await feedOn(test);
    const underWay = feed.catchUp();
    await append({ kind: "session_revoked", subject: "s1", version: null });
    await feed.catchUp();
    expect(feed.objectionTo(principal)).toBe("SESSION_REVOKED");
    await underWay;
  });

  it("is stale when it was last read more than five seconds ago", async () => {
    await using test = await createTestAuth();
    const { feed } = await feedOn(test);
    await test.clock.advance({ seconds: 5 });
    expect([feed.isStale(), feed.age()]).toEqual([false, 5_000]);
    await test.clock.advance({ seconds: 1 });
    expect(feed.isStale()).toBe(true);
    await feed.catchUp();
    expect([feed.isStale(), feed.age()]).toEqual([false, 0]);
  });

  it("tells of a new key before the read is over, once", async () => {
    await using test = await createTestAuth();
    let told = 0;
    const { feed, append } = await feedOn(test, async () => {
      told += 1;
    });
    await append({ kind: "keys_changed", subject: "k1", version: null });
    await append({ kind: "keys_changed", subject: "k2", version: null });
    await feed.catchUp();
    await feed.catchUp();
    expect(told).toBe(1);
  });

  // The event must not be over with before the keys were read: a compromised key would go on being taken.
  it("tells again of a new key when the keys could not be read", async () => {
    await using test = await createTestAuth();
    let told = 0;
    const { feed, append } = await feedOn(test, async () => {
      told += 1;
      if (told === 1) throw new Error("the database is away");
    });
    await append({ kind: "keys_changed", subject: "k1", version: null });
    await expect(feed.catchUp()).rejects.toThrow();
    await feed.catchUp();
    expect(told).toBe(2);
  });
});

describe("whoever listens to the feed", () => {
  it("is told after each read, and whether the keys were read again", async () => {
    await using test = await createTestAuth();
    const { feed, append } = await feedOn(test);
    const news: boolean[] = [];
    feed.onChange(({ keysChanged }) => news.push(keysChanged));
    await append({ kind: "session_revoked", subject: "s1", version: null });
    await feed.catchUp();
    await append({ kind: "keys_changed", subject: "k1", version: null });
    await feed.catchUp();
    await feed.catchUp();
    expect(news).toEqual([false, true, false]);
  });

  it("finds what was read when it is told", async () => {
    await using test = await createTestAuth();
    const { feed, append } = await feedOn(test);
    const objections: unknown[] = [];
    feed.onChange(() => objections.push(feed.objectionTo(principal)));
    await append({ kind: "session_revoked", subject: "s1", version: null });
    await feed.catchUp();
    expect(objections).toEqual(["SESSION_REVOKED"]);
  });

  it("is told after a read that failed, too: the feed may have become stale", async () => {
    await using test = await createTestAuth();
    const { feed, append } = await feedOn(test, () => Promise.reject(new Error("the database is away")));
    let told = 0;
    feed.onChange(() => {
      told += 1;
    });
    await append({ kind: "keys_changed", subject: "k1", version: null });
    await expect(feed.catchUp()).rejects.toThrow();
    expect(told).toBe(1);
  });

  it("is told that time has passed, without a read, and that the feed is no longer followed", async () => {
    await using test = await createTestAuth();
    const { feed } = await feedOn(test);
    const followed: boolean[] = [];
    feed.onChange(() => followed.push(feed.isFollowed()));
    feed.tick();
    feed.stop();
    expect(followed).toEqual([true, false]);
  });

  it("is told no more after it stopped, and stops nobody else", async () => {
    await using test = await createTestAuth();
    const { feed } = await feedOn(test);
    let told = 0;
    const listener = () => {
      told += 1;
    };
    const [stop] = [feed.onChange(listener), feed.onChange(listener)];
    expect(feed.listeners()).toBe(2);
    stop();
    stop();
    expect(feed.listeners()).toBe(1);
    feed.tick();
    expect(told).toBe(1);
  });
});

describe("the timer of an auth", () => {
  it("ticks also while a read of the feed does not come back", async () => {
    const { work, every } = turnedByHand();
    await using auth = assemble(options, { ...realEffects, every });
    const { db, feed } = await auth.start();
    await db.connection().execute(async () => {
      // The only connection is taken, so a read has to wait.
      for (const turn of work) turn();
      let told = 0;
      feed.onChange(() => {
        told += 1;
      });
      for (const turn of work) turn();
      expect(told).toBe(1);
    });
  });
});

const options = {
  database: sqlite(":memory:"),
  secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
  issuer: "http://localhost:3000",
  passwordHashing: { memoryKiB: 8, iterations: 1, parallelism: 1 },
};

it("a feed that is no longer followed is told to nobody: whoever follows it hears the end, and comes again elsewhere", async () => {
  await using test = await createTestAuth();
  const { keys } = await test.auth.start();
  const { feed } = await feedOn(test);
  const publisher = createFeedPublisher({ feed, keys, issuer: "https://auth.example.com" });
  const told = publisher.follow(0, undefined);
  expect((await told.next()).done).toBe(false);
  const ended = told.next();
  feed.stop();
  expect((await ended).done).toBe(true);
  await expect(publisher.since(0)).rejects.toMatchObject({ reason: "UNAVAILABLE" });
  await expect(publisher.follow(0, undefined).next()).rejects.toMatchObject({ reason: "UNAVAILABLE" });
});

/** Timers that a test turns. */
function turnedByHand() {
  const work: (() => void)[] = [];
  const every = (_: number, turn: () => void) => {
    work.push(turn);
    return { stop() {} };
  };
  return { work, every };
}
