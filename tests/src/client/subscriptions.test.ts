import { EventEmitter, once } from "node:events";
import { createAuthClient } from "@countersign/client";
import { subscriptions } from "@countersign/client/subscriptions";
import { EventSource } from "eventsource";
import { describe, expect, it } from "vitest";
import { boardOf } from "../support/board.ts";
import { cookieJar } from "../support/cookie-jar.ts";
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
