/** Streams on the way between client and server: what they send, what ends them, and what is written about them. */
import { getEventListeners, once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type AuthContext, AuthError, createApp, serve } from "@countersign/server";
import { createTestAuth, type TestAuth } from "@countersign/server/testing";
import { initTRPC, tracked } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { describe, expect, it } from "vitest";
import { boardOf } from "../support/board.ts";
import { capturedLog } from "../support/captured-log.ts";
import { expectReason } from "../support/expect-reason.ts";
import { bearer, signUp } from "../support/people.ts";
import { subscribe } from "../support/subscriber.ts";
import { type TestApp, testApp } from "../support/test-app.ts";
import { sharedDatabase } from "../support/test-database.ts";
import { testOptions, testRouter } from "../support/test-router.ts";

/** Opens the stream of a board by hand. */
function openStream(app: Pick<TestApp, "request">, accessToken: string, board: string, init: RequestInit = {}) {
  const input = encodeURIComponent(JSON.stringify({ json: { board } }));
  const headers = { accept: "text/event-stream", authorization: `Bearer ${accessToken}` };
  return app.request(`/trpc/live?input=${input}`, { headers, ...init });
}

describe("a stream", () => {
  it("is never stored nor transformed on the way, and has the headers of every reply", async () => {
    await using app = await testApp();
    const { accessToken } = await signUp(app);
    const reply = await openStream(app, accessToken, "headers");
    expect(reply.headers.get("content-type")).toBe("text/event-stream");
    expect(reply.headers.get("cache-control")).toBe("no-cache, no-transform, no-store");
    expect(reply.headers.get("x-content-type-options")).toBe("nosniff");
    expect(reply.headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
    await reply.body?.cancel();
  });

  it("ends with the typed error as the last thing that it sends", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const reply = await openStream(app, session.accessToken, "wire");
    await boardOf("wire").readersAre(1);
    await bearer(app, session).auth.logout.mutate();
    const [event, data, ...rest] = (await reply.text())
      .split("\n")
      .filter((line) => line !== "")
      .slice(2);
    expect([event, rest]).toEqual(["event: serialized-error", []]);
    expect(JSON.parse(data?.replace("data: ", "") ?? "")).toEqual({
      json: {
        message: "This session was signed out. Sign in again.",
        code: -32001,
        data: { code: "UNAUTHORIZED", httpStatus: 401, path: "live", reason: "SESSION_REVOKED", details: {} },
      },
    });
  });

  it("whose caller may not open it says so in the stream, for an EventSource shows nothing else", async () => {
    await using app = await testApp();
    const reply = await openStream(app, "none", "refused");
    expect(reply.status).toBe(200);
    expect(await reply.text()).toContain('"reason":"TOKEN_INVALID"');
  });

  it("is one line in the log and one count in the metrics, when it begins", async () => {
    const { log, lines } = capturedLog();
    await using app = await testApp({ log });
    const { accessToken } = await signUp(app);
    const reply = await openStream(app, accessToken, "logged");
    expect(lines.filter(({ message }) => message === "request")).toMatchObject([
      { level: "info", fields: { method: "GET", procedures: ["live"], status: 200 } },
    ]);
    expect(await (await app.request("/metrics")).text()).toContain(
      'countersign_http_request_duration_seconds_count{method="GET",route="/trpc/live",status="200"} 1',
    );
    await reply.body?.cancel();
  });

  it("is counted while it is open, if it is a signed-in caller's", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const open = async () =>
      /^countersign_subscriptions (\d+)$/m.exec(await (await app.request("/metrics")).text())?.[1];
    using _ = subscribe(app.url, session, "counted");
    using _public = subscribe(app.url, session, "counted", "publicLive");
    await boardOf("counted").readersAre(2);
    expect(await open()).toBe("1");
    await bearer(app, session).auth.logout.mutate();
    expect(await open()).toBe("0");
  });

  it.for(["live", "publicLive"] as const)(
    "%s ends its resolver when its reader goes, and nobody complains",
    async (procedure) => {
      const { log, lines } = capturedLog();
      await using app = await testApp({ log });
      const board = boardOf(`left ${procedure}`);
      const subscriber = subscribe(app.url, await signUp(app), `left ${procedure}`, procedure);
      await board.readersAre(1);
      subscriber[Symbol.dispose]();
      await board.readersAre(0);
      const { feed } = await app.auth.start();
      expect(feed.listeners()).toBe(0);
      // What came after would be written by the time that another request is.
      await app.request("/healthz");
      expect(lines.filter(({ level }) => level !== "info")).toEqual([]);
    },
  );

  it("tells a refusal that its resolver throws as final: a client must not come again for ever", async () => {
    await using test = await createTestAuth(testOptions);
    const router = test.auth.t.router({
      ...testRouter._def.record,
      publicLive: test.auth.publicProcedure.subscription(async function* () {
        yield "ready";
        throw new AuthError("INSUFFICIENT_ROLE", { role: "owner" });
      }),
    });
    const served = await serve(createApp(test.auth, { router }), { port: 0, host: "127.0.0.1" });
    using subscriber = subscribe(served.url, null, "", "publicLive");
    expect(await expectReason(subscriber.ended, "INSUFFICIENT_ROLE")).toEqual({ role: "owner" });
    await served.close();
  });
});

describe("a server that stops", () => {
  it("ends its streams at once and without an error, guarded and public", async () => {
    const { log, lines } = capturedLog();
    await using test = await createTestAuth({ ...testOptions, log });
    const served = await serve(createApp(test.auth, { router: testRouter }), { port: 0, host: "127.0.0.1" });
    const { accessToken } = await test.auth.router
      .createCaller(test.asNobody())
      .register({ username: "alice", password: "correct horse battery staple" });
    const board = boardOf("stopped");
    board.pin("first");
    const replies = await Promise.all(
      ["live", "publicLive"].map((procedure) => {
        const input = encodeURIComponent(JSON.stringify({ json: { board: "stopped" } }));
        const headers = { accept: "text/event-stream", authorization: `Bearer ${accessToken}` };
        return fetch(`${served.url}/trpc/${procedure}?input=${input}`, { headers });
      }),
    );
    await board.readersAre(2);
    const startedAt = performance.now();
    const [texts] = await Promise.all([Promise.all(replies.map((reply) => reply.text())), served.close()]);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    // No word of an end: tRPC's client takes "return" for the end of all, and an error for a failure.
    for (const text of texts) expect(text.match(/^event: .*$/gm)).toEqual(["event: connected"]);
    await board.readersAre(0);
    expect(lines.filter(({ level }) => level !== "info")).toEqual([]);
  });

  it("is followed by another, where its clients go on after the last that they got", async () => {
    await using shared = await sharedDatabase();
    await using first = await testApp({}, { database: shared.open() });
    const session = await signUp(first);
    const board = boardOf("restart");
    // One address for both, as a balancer has it.
    let target = first.url;
    await using balancer = await listen(async (incoming, outgoing) => {
      const headers = new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
      headers.delete("host");
      headers.delete("connection");
      const reply = await fetch(`${target}${incoming.url}`, { headers });
      outgoing.writeHead(reply.status, Object.fromEntries(reply.headers));
      for await (const chunk of reply.body ?? []) outgoing.write(chunk);
      outgoing.end();
    });
    using subscriber = subscribe(balancer.url, session, "restart");
    await board.readersAre(1);
    board.pin("one");
    await subscriber.has(1);
    await using second = await testApp({}, { database: shared.open() });
    target = second.url;
    await first[Symbol.asyncDispose]();
    await board.readersAre(0);
    board.pin("two, while nobody listened");
    await board.readersAre(1);
    board.pin("three");
    await subscriber.has(3);
    expect(subscriber.notes).toEqual(["one", "two, while nobody listened", "three"]);
    expect(subscriber.states).toEqual(["connecting", "pending", "connecting", "pending"]);
  });
});

describe("an application's own adapter", () => {
  const standalone = ({ auth }: TestAuth): RequestListener =>
    createHTTPHandler({ router: testRouter, createContext: auth.createContext, basePath: "/trpc/" });

  // tRPC aborts a signal when the caller goes, and not when the stream ends by an error; our own app does both.
  it("ends a subscription with the typed reason, and its resolver when it wakes", async () => {
    await using test = await createTestAuth(testOptions);
    await using server = await listen(standalone(test));
    const caller = test.auth.router.createCaller(test.asNobody());
    const session = await caller.register({ username: "bob", password: "correct horse battery staple" });
    const board = boardOf("standalone");
    board.pin("first");
    using subscriber = subscribe(server.url, session, "standalone");
    await subscriber.has(1);
    await caller.logout({ refreshToken: session.refreshToken });
    await expectReason(subscriber.ended, "SESSION_REVOKED");
    expect((await test.auth.start()).feed.listeners()).toBe(0);
    board.pin("second");
    await board.readersAre(0);
  });

  it("sends the reason through a t of the application's own, without our transformer and formatter", async () => {
    await using test = await createTestAuth(testOptions);
    const t = initTRPC.context<AuthContext>().create();
    const waiting = Promise.withResolvers<void>();
    const router = t.router({
      idle: t.procedure.concat(test.auth.protectedProcedure).subscription(async function* () {
        yield tracked("1", "ready");
        waiting.resolve();
        await new Promise(() => {});
      }),
    });
    const caller = test.auth.router.createCaller(test.asNobody());
    const session = await caller.register({ username: "bob", password: "correct horse battery staple" });
    const reply = await fetchRequestHandler({
      endpoint: "/trpc",
      router,
      req: new Request("http://localhost/trpc/idle", { headers: { authorization: `Bearer ${session.accessToken}` } }),
      createContext: test.auth.createContext,
    });
    const text = reply.text();
    await waiting.promise;
    await test.clock.advance({ minutes: 20 });
    expect(await text).toContain('data: "ready"\nid: 1\n');
    expect(await text).toMatch(/event: serialized-error\ndata: \{"message":.*"code":-32001,.*"reason":"TOKEN_EXPIRED"/);
  });
});

async function listen(listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

it.each(["HEAD", "GET", "POST"])("%s for what has no stream leaves nothing behind on the server", async (method) => {
  await using test = await createTestAuth(testOptions);
  const app = createApp(test.auth, { router: testRouter });
  const stopping = new AbortController();
  const headers = { accept: "text/event-stream", "content-type": "application/json" };
  const init = { method, headers, ...(method === "POST" && { body: "{}" }) };
  for (const path of ["/trpc/ping", "/trpc/nothing"]) {
    const reply = await app.fetch(new Request(`http://localhost${path}`, init), { stopping: stopping.signal });
    await reply.text();
  }
  expect(getEventListeners(stopping.signal, "abort")).toEqual([]);
});
