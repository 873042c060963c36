import { EventEmitter, once } from "node:events";
import { createAuthClient } from "@countersign/client";
import { subscriptions } from "@countersign/client/subscriptions";
import { EventSource } from "eventsource";
import { describe, expect, it } from "vitest";
import { boardOf } from "../support/board.ts";
import { cookieJar } from "../support/cookie-jar.ts";
import { failingDatabase } from "../support/failing-database.ts";
import { createNetwork } from "../support/network.ts";
import { administrator } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import type { TestRouter } from "../support/test-router.ts";

type Options = Partial<Parameters<typeof createAuthClient>[0]>;

function clientOf(app: TestApp, options: Options = {}) {
  const network = createNetwork();
  const urls: string[] = [];
  const send = options.fetch ?? network.fetch;
  const client = createAuthClient<TestRouter>({
    url: `${app.url}/trpc`,
    subscriptions: subscriptions({ EventSource }),
    ...options,
    fetch(input, init) {
      urls.push(String(input));
      return send(input, init);
    },
  });
  return { client, network, urls };
}

/** Subscribes to a board, and collects what comes. */
function watch(client: ReturnType<typeof clientOf>["client"], board: string) {
  const changes = new EventEmitter();
  const notes: string[] = [];
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => {});
  const subscription = client.trpc.live.subscribe(
    { board },
    {
      onData({ data }) {
        notes.push(data);
        changes.emit("change");
      },
      onError: (error) => ended.reject(error),
      onComplete: () => ended.resolve(),
    },
  );
  return {
    notes,
    ended: ended.promise,
    async has(count: number) {
      while (notes.length < count) await once(changes, "change");
    },
    [Symbol.dispose]: () => subscription.unsubscribe(),
  };
}

const alice = { username: "alice", password };
const bob = { username: "bob", password };

/** A network whose streams break when a test says so, and on which another may answer then. */
function cuttable(send: NonNullable<Options["fetch"]> = fetch as NonNullable<Options["fetch"]>) {
  const questions = new EventEmitter();
  const streams = new Set<AbortController>();
  const line = {
    answer: null as (() => Response) | null,
    cut: () => {
      for (const stream of streams) stream.abort(new TypeError("the connection was lost"));
      streams.clear();
    },
    asked: () => once(questions, "asked"),
    fetch: (async (input, init) => {
      if (!String(input).includes("/live?")) return send(input, init);
      if (line.answer !== null) {
        queueMicrotask(() => questions.emit("asked"));
        return line.answer();
      }
      const stream = new AbortController();
      streams.add(stream);
      const { body, status, headers } = (await send(input, init)) as Response;
      return new Response(body?.pipeThrough(new TransformStream(), { signal: stream.signal }) ?? null, {
        status,
        headers,
      });
    }) as NonNullable<Options["fetch"]>,
  };
  return line;
}

describe("a subscription of a client that keeps tokens", () => {
  it("sends its token in a header, and never in an address", async () => {
    await using app = await testApp();
    const { client, urls } = clientOf(app);
    await client.register(alice);
    using live = watch(client, "header");
    boardOf("header").pin("one");
    await live.has(1);
    expect(urls.filter((url) => /eyJ|token|connectionParams/i.test(decodeURIComponent(url)))).toEqual([]);
    expect(urls.some((url) => url.includes("/live?"))).toBe(true);
  });

  it("goes on after its token has expired, from where it was", async () => {
    await using app = await testApp();
    const { client, network } = clientOf(app);
    await client.register(alice);
    using live = watch(client, "expiry");
    boardOf("expiry").pin("one");
    await live.has(1);
    for (let round = 2; round < 6; round += 1) {
      await app.clock.advance({ minutes: 16 });
      boardOf("expiry").pin(`${round}`);
      await live.has(round);
    }
    expect(live.notes).toEqual(["one", "2", "3", "4", "5"]);
    expect(network.sent.filter((sent) => sent === "auth.refresh").length).toBeGreaterThanOrEqual(4);
    expect(client.session).toMatchObject({ status: "signed-in" });
  });

  it("waits for a server that can refresh no token, and goes on from where it was", { timeout: 60_000 }, async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const { client, network } = clientOf(app);
    await client.register(alice);
    using live = watch(client, "outage");
    boardOf("outage").pin("one");
    await live.has(1);
    store.fails = /^update "sessions"/;
    await app.clock.advance({ minutes: 16 });
    boardOf("outage").pin("two");
    // More than any one call waits for.
    await expect
      .poll(() => network.sent.filter((sent) => sent === "auth.refresh").length, { timeout: 50_000 })
      .toBeGreaterThan(9);
    store.fails = null;
    await live.has(2);
    expect(live.notes).toEqual(["one", "two"]);
  });

  it("goes on after a proxy without its server has answered", { timeout: 20_000 }, async () => {
    await using app = await testApp();
    const line = cuttable();
    const { client } = clientOf(app, { fetch: line.fetch });
    await client.register(alice);
    using live = watch(client, "proxy");
    boardOf("proxy").pin("one");
    await live.has(1);
    line.answer = () => new Response("<h1>Bad gateway</h1>", { status: 502, headers: { "content-type": "text/html" } });
    line.cut();
    await line.asked();
    line.answer = null;
    boardOf("proxy").pin("two");
    await live.has(2);
    expect(live.notes).toEqual(["one", "two"]);
  });

  it("goes on with new roles, from where it was", async () => {
    await using app = await testApp();
    const { client } = clientOf(app);
    const { id } = await client.register(alice);
    using live = watch(client, "roles");
    boardOf("roles").pin("one");
    await live.has(1);
    await (await administrator(app)).setRoles({ id, roles: ["moderator"] });
    boardOf("roles").pin("two");
    await live.has(2);
    expect(live.notes).toEqual(["one", "two"]);
  });

  it("stops when its session has ended, and says why", async () => {
    await using app = await testApp();
    const { client } = clientOf(app);
    await client.register(alice);
    using live = watch(client, "revoked");
    boardOf("revoked").pin("one");
    await live.has(1);
    const elsewhere = app.client();
    await elsewhere.login(alice);
    await elsewhere.trpc.auth.sessions.revokeOthers.mutate();
    await expect(live.ended).rejects.toMatchObject({ data: { reason: "SESSION_REVOKED" } });
    expect(client.session).toEqual({ status: "signed-out", reason: "SESSION_REVOKED" });
  });

  it.each(["memory", "cookie"] as const)(
    "becomes nobody else's when another signs in while it is cut off: %s",
    { timeout: 20_000 },
    async (storage) => {
      await using app = await testApp();
      await app.client().register(bob);
      const line = cuttable(storage === "cookie" ? cookieJar().fetch : undefined);
      const { client } = clientOf(app, { storage, fetch: line.fetch });
      await client.register(alice);
      using live = watch(client, `switch ${storage}`);
      boardOf(`switch ${storage}`).pin("one");
      await live.has(1);
      line.answer = () => Response.error();
      line.cut();
      await line.asked();
      await client.login(bob);
      line.answer = null;
      await expect(live.ended).rejects.toMatchObject({ data: { reason: "SESSION_REVOKED" } });
      expect(live.notes).toEqual(["one"]);
    },
  );

  it("goes on after any number of step-ups", { timeout: 30_000 }, async () => {
    await using app = await testApp();
    const { client } = clientOf(app, { storage: "cookie", fetch: cookieJar().fetch });
    await client.register(alice);
    using live = watch(client, "step-ups");
    for (let round = 1; round <= 5; round += 1) {
      boardOf("step-ups").pin(`${round}`);
      await live.has(round);
      await client.login(alice);
    }
    boardOf("step-ups").pin("6");
    await live.has(6);
  });

  it("that is refused at its opening is not tried for ever", async () => {
    await using app = await testApp();
    const { client, urls } = clientOf(app);
    using live = watch(client, "refused");
    await expect(live.ended).rejects.toMatchObject({ data: { reason: "TOKEN_MISSING" } });
    expect(urls).toHaveLength(1);
  });

  it("whose refresh is refused ends with that refusal", async () => {
    await using app = await testApp();
    const { client } = clientOf(app);
    const { id } = await client.register(alice);
    using live = watch(client, "disabled");
    boardOf("disabled").pin("one");
    await live.has(1);
    await (await administrator(app)).disable({ id });
    await expect(live.ended).rejects.toMatchObject({ data: { reason: "SESSION_REVOKED" } });
  });
});

describe("a subscription of a client with a cookie", () => {
  const withCookies = (app: TestApp) => clientOf(app, { storage: "cookie", fetch: cookieJar().fetch });

  it("goes on when the server renews what it holds for the cookie, from where it was", async () => {
    await using app = await testApp();
    const { client } = withCookies(app);
    await client.register(alice);
    using live = watch(client, "cookie");
    boardOf("cookie").pin("one");
    await live.has(1);
    for (let round = 2; round < 5; round += 1) {
      await app.clock.advance({ minutes: 16 });
      boardOf("cookie").pin(`${round}`);
      await live.has(round);
    }
    expect(live.notes).toEqual(["one", "2", "3", "4"]);
    expect(client.session).toMatchObject({ status: "signed-in" });
    client.close();
  });

  it("stops when the session has ended", async () => {
    await using app = await testApp();
    const { client } = withCookies(app);
    await client.register(alice);
    using live = watch(client, "cookie-revoked");
    boardOf("cookie-revoked").pin("one");
    await live.has(1);
    const elsewhere = app.client();
    await elsewhere.login(alice);
    await elsewhere.trpc.auth.sessions.revokeOthers.mutate();
    await expect(live.ended).rejects.toMatchObject({ data: { reason: "SESSION_REVOKED" } });
    expect(client.session).toEqual({ status: "signed-out", reason: "SESSION_REVOKED" });
    client.close();
  });
});
