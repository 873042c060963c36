/** Many subscriptions at once: how fast they end, and what they leave behind. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createTestAuth, type TestAuth } from "@countersign/server/testing";
import { describe, expect, it, vi } from "vitest";
import { boardOf } from "../support/board.ts";
import { expectReason } from "../support/expect-reason.ts";
import { administrator, signUp } from "../support/people.ts";
import { subscribe } from "../support/subscriber.ts";
import { testApp } from "../support/test-app.ts";
import { testOptions } from "../support/test-router.ts";

// Tests run beside others.
vi.setConfig({ testTimeout: 30_000 });

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

async function heapMiB(): Promise<number> {
  // What a promise still holds goes with the turn after.
  await nextTurn();
  collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

describe("200 open streams of one account", () => {
  it("all end within a second of its being disabled, and leave nothing behind", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const users = await administrator(app);
    const board = boardOf("two hundred");
    const subscribers = Array.from({ length: 200 }, () => subscribe(app.url, session, "two hundred"));
    await board.readersAre(200);
    const { feed } = await app.auth.start();
    expect(feed.listeners()).toBe(200);

    const startedAt = performance.now();
    await users.disable({ id: session.user.id });
    await Promise.all(subscribers.map(({ ended }) => expectReason(ended, "SESSION_REVOKED")));
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(feed.listeners()).toBe(0);
    await board.readersAre(0);
  });
});

/** Opens subscriptions that wait for ever, and asks each for its first value. */
async function openIdle(test: TestAuth, count: number) {
  const idle = test.auth.protectedProcedure.subscription(async function* () {
    yield await new Promise<never>(() => {});
  });
  const context = await test.asUser("alice");
  const caller = test.auth.t.router({ idle }).createCaller(context);
  const subscriptions = await Promise.all(Array.from({ length: count }, () => caller.idle()));
  const nexts = Promise.allSettled(subscriptions.map((subscription) => subscription[Symbol.asyncIterator]().next()));
  await nextTurn();
  return { nexts, signOut: () => test.auth.router.createCaller(context).logout({}) };
}

describe("10,000 subscriptions", () => {
  it("end with one revocation within a second, having cost 10 KiB each at most, and leave nothing behind", async () => {
    await using test = await createTestAuth(testOptions);
    const { feed } = await test.auth.start();
    const openAndEnd = async (count: number) => {
      const { nexts, signOut } = await openIdle(test, count);
      expect(feed.listeners()).toBe(count);
      const heapWhileOpen = await heapMiB();
      const startedAt = performance.now();
      await signOut();
      const outcomes = await nexts;
      const milliseconds = performance.now() - startedAt;
      expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(count);
      expect(feed.listeners()).toBe(0);
      return { heapWhileOpen, milliseconds };
    };
    await openAndEnd(1_000);
    const before = await heapMiB();
    const { heapWhileOpen, milliseconds } = await openAndEnd(10_000);
    expect(milliseconds).toBeLessThan(1_000);
    expect(heapWhileOpen - before).toBeLessThan(100);
    expect((await heapMiB()) - before).toBeLessThan(5);
  });

  it("are looked at in less than 50 ms, which is what each second costs", async () => {
    await using test = await createTestAuth(testOptions);
    const { feed } = await test.auth.start();
    const { nexts, signOut } = await openIdle(test, 10_000);
    feed.tick();
    const startedAt = performance.now();
    feed.tick();
    expect(performance.now() - startedAt).toBeLessThan(50);
    await signOut();
    await nexts;
  });
});

describe("streams that are opened and left", () => {
  it("leave nothing behind", async () => {
    await using app = await testApp();
    const { accessToken } = await signUp(app);
    const { feed } = await app.auth.start();
    const board = boardOf("left");
    const input = encodeURIComponent(JSON.stringify({ json: { board: "left" } }));
    const headers = { accept: "text/event-stream", authorization: `Bearer ${accessToken}` };
    const openAndLeave = async (count: number) => {
      for (let opened = 0; opened < count; opened += 100) {
        const leaving = new AbortController();
        const open = () => app.request(`/trpc/live?input=${input}`, { headers, signal: leaving.signal });
        await Promise.all(Array.from({ length: 100 }, open));
        await board.readersAre(100);
        leaving.abort();
        await board.readersAre(0);
      }
    };
    await openAndLeave(300);
    const before = await heapMiB();
    await openAndLeave(1_000);
    expect(feed.listeners()).toBe(0);
    // 50 KiB each, if they stayed.
    expect((await heapMiB()) - before).toBeLessThan(10);
  });
});
