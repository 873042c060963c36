import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createAuthClient, isAuthError } from "@countersign/client";
import { TRPCClientError } from "@trpc/client";
import { describe, expect, it } from "vitest";
import { createNetwork } from "../support/network.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import type { TestRouter } from "../support/test-router.ts";

const alice = { username: "alice", password };

const html = (status: number) =>
  new Response("<html><body>Sign in to the hotel's network</body></html>", {
    status,
    headers: { "content-type": "text/html" },
  });

/** A client between which and the server something answers in the server's place, while it is there. */
async function behind(
  app: TestApp,
  intercept: (procedures: string, init: unknown) => Response | Promise<Response> | null,
) {
  const network = createNetwork();
  const state = { isThere: false };
  const client = createAuthClient<TestRouter>({
    url: `${app.url}/trpc`,
    async fetch(input, init) {
      const procedures = new URL(String(input)).pathname.replace("/trpc/", "");
      const reply = state.isThere ? await intercept(procedures, init) : null;
      return reply ?? network.fetch(input, init);
    },
  });
  await client.register(alice);
  network.sent.length = 0;
  return { client, network, state };
}

describe("a reply that is not the server's", () => {
  it.each([
    ["a captive portal, which says 200", () => html(200)],
    ["a proxy without its server", () => html(502)],
    ["a proxy that gave up", () => html(504)],
    ["an empty reply", () => new Response("")],
    ["JSON that is no tRPC", () => Response.json({ hello: "world" })],
    ["a wrong address", () => html(404)],
    ["a firewall", () => html(403)],
  ])("loses no session and ends in no loop: %s", async (_, reply) => {
    await using app = await testApp();
    const { client, network, state } = await behind(app, reply);
    await app.clock.advance({ minutes: 16 });
    state.isThere = true;
    const error = await client.trpc.read.query().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(Error);
    expect(isAuthError(error)).toBe(false);
    expect(client.session).toMatchObject({ status: "signed-in" });
    state.isThere = false;
    expect(await client.trpc.read.query()).toBe("read");
    expect(network.sent).toEqual(["read", "auth.refresh", "read"]);
  });

  it.each([
    ["an HTML page", () => html(200), 4],
    ["a proxy without its server", () => html(503), 4],
  ])("to a refresh is asked for again only where that can help: %s", async (_, reply, times) => {
    await using app = await testApp();
    let asked = 0;
    const { client, state } = await behind(app, (procedures) => {
      if (procedures !== "auth.refresh") return null;
      asked += 1;
      return reply();
    });
    await app.clock.advance({ minutes: 16 });
    state.isThere = true;
    await expect(client.trpc.read.query()).rejects.toThrow();
    expect(asked).toBe(times);
    expect(client.session).toMatchObject({ status: "signed-in", isRefreshing: false });
  });

  it("whose server asks for patience gets it, once", async () => {
    await using app = await testApp();
    const times: number[] = [];
    const { client, state } = await behind(app, (procedures) => {
      if (procedures !== "auth.refresh") return null;
      times.push(performance.now());
      if (times.length > 1) return null;
      const data = { code: "SERVICE_UNAVAILABLE", httpStatus: 503, reason: "UNAVAILABLE", details: { retryAfter: 1 } };
      return Response.json({ error: { json: { message: "Try again.", code: -32603, data } } }, { status: 503 });
    });
    await app.clock.advance({ minutes: 16 });
    state.isThere = true;
    expect(await client.trpc.read.query()).toBe("read");
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1_000);
  });
});

it("a server of an older version, which does not say how long a token lives, is understood", async () => {
  await using app = await testApp();
  const network = createNetwork();
  const client = app.client(async (input, init) => {
    const reply = (await network.fetch(input, init)) as Response;
    const text = await reply.text();
    return new Response(text.replace(/"expiresIn":\d+,/, ""), reply);
  });
  await client.register({ username: "alice", password });
  expect(await client.trpc.read.query()).toBe("read");
  await app.clock.advance({ minutes: 16 });
  expect(await client.trpc.read.query()).toBe("read");
  expect(client.session).toMatchObject({ status: "signed-in" });
});

/** A server that takes requests, and never answers. */
async function silentServer() {
  const requests = new EventEmitter();
  const server = createServer(() => requests.emit("request")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked: () => once(requests, "request"),
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

it("a proxy that asks for patience gets it", { timeout: 20_000 }, async () => {
  await using app = await testApp();
  const times: number[] = [];
  const { client, state } = await behind(app, (procedures) => {
    if (procedures !== "auth.refresh") return null;
    times.push(performance.now());
    state.isThere = false;
    return new Response("Too many requests", { status: 429, headers: { "retry-after": "3" } });
  });
  await app.clock.advance({ minutes: 16 });
  state.isThere = true;
  expect(await client.trpc.read.query()).toBe("read");
  expect(performance.now() - (times[0] ?? 0)).toBeGreaterThan(2_900);
});

it("a server of a version that knows no names of refreshes refreshes without", async () => {
  await using app = await testApp();
  const { client, network, state } = await behind(app, (procedures, init) => {
    const { body } = init as { body: string };
    return procedures === "auth.refresh" && body.includes("attempt") ? app.call("auth.refresh", { json: {} }) : null;
  });
  await app.clock.advance({ minutes: 16 });
  state.isThere = true;
  expect(await client.trpc.read.query()).toBe("read");
  expect(network.sent).toEqual(["read", "auth.refresh", "read"]);
});

describe("a server that never answers", { timeout: 60_000 }, () => {
  it("is given up by a refresh, and the session is kept", async () => {
    using silent = await silentServer();
    await using app = await testApp();
    const { client, state } = await behind(app, (procedures, init) =>
      procedures === "auth.refresh" ? fetch(silent.url, init as RequestInit) : null,
    );
    await app.clock.advance({ minutes: 16 });
    state.isThere = true;
    const asked = silent.asked();
    const read = client.trpc.read.query();
    await asked;
    // The first try hangs, and is cut; the second finds the server.
    state.isThere = false;
    expect(await read).toBe("read");
  });

  it("is given up by a sign-in", async () => {
    using silent = await silentServer();
    await using app = await testApp();
    const { client, state } = await behind(app, (_, init) => fetch(silent.url, init as RequestInit));
    state.isThere = true;
    const failure = await client.login(alice).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TRPCClientError);
    expect(failure).toMatchObject({ message: "The server does not answer." });
    expect(client.session).toMatchObject({ status: "signed-in", user: { username: "alice" } });
  });
});
