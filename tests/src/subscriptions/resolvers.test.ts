/** What a resolver may return and do, and how it ends with the sign-in; called without a network. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { AuthError, isAuthError } from "@countersign/server";
import { createTestAuth, type TestAuth } from "@countersign/server/testing";
import { TRPCError, tracked } from "@trpc/server";
import { observable } from "@trpc/server/observable";
import { describe, expect, it } from "vitest";
import { boardOf } from "../support/board.ts";
import { capturedLog } from "../support/captured-log.ts";
import { expectReason } from "../support/expect-reason.ts";
import { testOptions, testRouter } from "../support/test-router.ts";

/** Subscriptions that the test's own router has no use for. */
function routerOf({ auth }: TestAuth, seen: { closed: number; onClose(): void }) {
  const { t, protectedProcedure } = auth;
  return t.router({
    /** Waits for what never comes, whatever its signal says. */
    deaf: protectedProcedure.subscription(async function* () {
      yield "ready";
      await new Promise(() => {});
    }),
    /** Never waits. */
    count: protectedProcedure.subscription(async function* () {
      try {
        for (let number = 0; ; number += 1) yield number;
      } finally {
        seen.closed += 1;
        seen.onClose();
      }
    }),
    ids: protectedProcedure.subscription(async function* () {
      yield tracked("7", "seventh");
    }),
    /** As tRPC's subscriptions were before version 11. */
    observed: protectedProcedure.subscription(() =>
      observable<string>((observer) => {
        observer.next("ready");
        return () => {
          seen.closed += 1;
          seen.onClose();
        };
      }),
    ),
    refusing: protectedProcedure.subscription(async function* () {
      yield "ready";
      throw new AuthError("INSUFFICIENT_ROLE", { role: "owner" });
    }),
    fresh: auth.requires({ maxAge: 3_600 }).subscription(async function* () {
      yield "ready";
      await new Promise(() => {});
    }),
  });
}

async function start(options = {}) {
  const test = await createTestAuth({ ...testOptions, ...options });
  const seen = { closed: 0, onClose() {} };
  const context = await test.asUser("alice");
  const { feed } = await test.auth.start();
  return {
    test,
    seen,
    feed,
    alice: routerOf(test, seen).createCaller(context),
    signOut: () => test.auth.router.createCaller(context).logout({}),
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}

/** The first value, and what asks for the next. */
async function open<Value>(subscription: Promise<AsyncIterable<Value>>) {
  const iterator = (await subscription)[Symbol.asyncIterator]();
  return { iterator, first: (await iterator.next()).value };
}

describe("createCaller's subscription", () => {
  it("ends with the session while it waits, though its resolver hears nothing", async () => {
    await using call = await start();
    const { iterator, first } = await open(call.alice.deaf());
    const next = iterator.next();
    await call.signOut();
    await expectReason(next, "SESSION_REVOKED");
    expect(first).toBe("ready");
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(call.feed.listeners()).toBe(0);
  });

  it("throws tRPC's error, with the refusal as its cause", async () => {
    await using call = await start();
    const { iterator } = await open(call.alice.deaf());
    const next = iterator.next();
    await call.test.clock.advance({ minutes: 20 });
    const error = await next.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(TRPCError);
    expect(error).toMatchObject({ code: "UNAUTHORIZED", cause: { reason: "TOKEN_EXPIRED" } });
  });

  it("ends where nobody waits: whoever asks next is told, once, and the resolver is closed before", async () => {
    await using call = await start();
    const { iterator } = await open(call.alice.count());
    await call.signOut();
    expect([call.seen.closed, call.feed.listeners()]).toEqual([1, 0]);
    await expectReason(iterator.next(), "SESSION_REVOKED");
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("gives out nothing that came after the token's end, even before the feed is read again", async () => {
    let now = 0;
    await using call = await start();
    const { deps } = (await call.test.asUser("alice")).auth;
    const context = await call.test.asUser("alice");
    const ahead = { ...context, auth: { ...context.auth, deps: { ...deps, now: () => deps.now() + now } } };
    const { iterator } = await open(routerOf(call.test, call.seen).createCaller(ahead).count());
    now = 20 * 60_000;
    await expectReason(iterator.next(), "TOKEN_EXPIRED");
  });

  it("is refused where it is first read after its sign-in has ended", async () => {
    await using call = await start();
    const subscription = await call.alice.count();
    await call.signOut();
    expect(call.feed.listeners()).toBe(0);
    await expectReason(subscription[Symbol.asyncIterator]().next(), "SESSION_REVOKED");
  });

  it("that yields all the time ends between two values", async () => {
    await using call = await start();
    const values: number[] = [];
    const read = async () => {
      for await (const value of await call.alice.count()) {
        values.push(value);
        if (value === 100) void call.signOut();
        await nextTurn();
      }
    };
    await expectReason(read(), "SESSION_REVOKED");
    expect(values.length).toBeGreaterThan(100);
    expect(call.seen.closed).toBe(1);
  });

  it("that is left is closed, and watched no more", async () => {
    await using call = await start();
    for await (const value of await call.alice.count()) {
      expect(call.feed.listeners()).toBe(1);
      if (value === 3) break;
    }
    expect([call.seen.closed, call.feed.listeners()]).toEqual([1, 0]);
  });

  it("ends without an error when its signal is aborted, though its resolver hears nothing", async () => {
    await using call = await start();
    const controller = new AbortController();
    const router = routerOf(call.test, call.seen);
    const caller = router.createCaller(await call.test.asUser("alice"), { signal: controller.signal });
    const { iterator } = await open(caller.deaf());
    const next = iterator.next();
    controller.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(call.feed.listeners()).toBe(0);
  });

  it("gives its signal to the resolver, which ends with it", async () => {
    await using call = await start();
    const controller = new AbortController();
    const caller = testRouter.createCaller(await call.test.asUser("alice"), { signal: controller.signal });
    const board = boardOf("signal");
    board.pin("first");
    const { iterator } = await open(caller.live({ board: "signal" }));
    const next = iterator.next();
    controller.abort();
    await next;
    await board.readersAre(0);
  });

  it("keeps the ids of tracked values", async () => {
    await using call = await start();
    const { first } = await open(call.alice.ids());
    expect(first).toEqual(tracked("7", "seventh"));
    expect(call.feed.listeners()).toBe(1);
  });

  it("ends by itself, and is watched no more", async () => {
    await using call = await start();
    for await (const _ of await call.alice.ids());
    expect(call.feed.listeners()).toBe(0);
  });

  it("with the auth: UNAVAILABLE, and not for ever unwatched", async () => {
    await using call = await start();
    const { iterator } = await open(call.alice.deaf());
    const next = iterator.next();
    await call.test.auth.close();
    expect(await expectReason(next, "UNAVAILABLE")).toEqual({ retryAfter: 1 });
  });

  it("tells what a resolver throws of ours by its reason, and is watched no more", async () => {
    await using call = await start();
    const { iterator } = await open(call.alice.refusing());
    expect(await expectReason(iterator.next(), "INSUFFICIENT_ROLE")).toEqual({ role: "owner" });
    expect(call.feed.listeners()).toBe(0);
  });

  it("logs what fails in a resolver that was ended: nobody else is told", async () => {
    const { log, lines } = capturedLog();
    await using call = await start({ log });
    call.seen.onClose = () => {
      throw new Error("the disk is full");
    };
    await open(call.alice.count());
    await call.signOut();
    expect(lines).toContainEqual({
      level: "error",
      fields: { path: "count", err: new Error("the disk is full") },
      message: "a subscription failed when it was over",
    });
  });

  it("that demands a recent sign-in ends with a stale feed, though the store's loss opens", async () => {
    await using call = await start({ onStoreDown: "open" });
    const [fresh, other] = [await open(call.alice.fresh()), await open(call.alice.deaf())];
    const [next, goesOn] = [fresh.iterator.next(), other.iterator.next()];
    const { db } = await call.test.auth.start();
    await db.schema.dropTable("feed_events").execute();
    await expect(call.test.clock.advance({ seconds: 6 })).rejects.toThrow();
    await expectReason(next, "UNAVAILABLE");
    expect(call.feed.listeners()).toBe(1);
    goesOn.catch(() => {});
  });
});

describe("an observable", () => {
  it("ends with the session, and is unsubscribed from", async () => {
    await using call = await start();
    const subscription = await call.alice.observed();
    const values: string[] = [];
    const ended = new Promise((_, reject) => {
      subscription.subscribe({ next: (value) => values.push(value), error: reject, complete: () => reject() });
    });
    expect(call.feed.listeners()).toBe(1);
    await call.signOut();
    await expectReason(ended, "SESSION_REVOKED");
    expect([values, call.seen.closed, call.feed.listeners()]).toEqual([["ready"], 1, 0]);
  });

  it("whose teardown fails is logged, and keeps nobody else from being told", async () => {
    const { log, lines } = capturedLog();
    await using call = await start({ log });
    call.seen.onClose = () => {
      throw new Error("the disk is full");
    };
    (await call.alice.observed()).subscribe({});
    const { iterator } = await open(call.alice.deaf());
    const next = iterator.next();
    await call.signOut();
    await expectReason(next, "SESSION_REVOKED");
    const errors = lines.filter(({ level }) => level === "error");
    expect(errors.map(({ message }) => message)).toEqual(["a subscription failed when it was over"]);
  });

  it("is watched no more when it is left", async () => {
    await using call = await start();
    const subscription = await call.alice.observed();
    subscription.subscribe({}).unsubscribe();
    expect([call.seen.closed, call.feed.listeners()]).toEqual([1, 0]);
  });

  it("is refused where it is first read after its sign-in has ended", async () => {
    await using call = await start();
    const subscription = await call.alice.observed();
    await call.signOut();
    const errors: unknown[] = [];
    subscription.subscribe({ error: (error) => errors.push(error) });
    expect(errors.map((error) => isAuthError((error as Error).cause))).toEqual([true]);
  });
});
