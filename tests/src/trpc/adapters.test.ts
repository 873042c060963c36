/** `auth.createContext` with the adapters that tRPC has, on real sockets, beside our own app. */
import { createServer, type RequestListener, request } from "node:http";
import type { AddressInfo } from "node:net";
import { createAuthClient } from "@countersign/client";
import { type AuthContext, createApp, createAuth } from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import { createTestAuth, type TestAuth } from "@countersign/server/testing";
import { initTRPC } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { describe, expect, it } from "vitest";
import { capturedLog } from "../support/captured-log.ts";
import { expectReason } from "../support/expect-reason.ts";
import { password, testApp } from "../support/test-app.ts";
import { type TestRouter, testOptions, testRouter } from "../support/test-router.ts";

async function listen(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** tRPC's own server for Node. */
function standalone({ auth }: TestAuth): RequestListener {
  const handle = createHTTPHandler({ router: testRouter, createContext: auth.createContext, basePath: "/trpc/" });
  return handle;
}

/** tRPC's fetch adapter, behind the least that turns Node's requests into fetch's. */
function fetchAdapter({ auth }: TestAuth): RequestListener {
  return async (incoming, outgoing) => {
    const headers = new Headers();
    for (const [name, values] of Object.entries(incoming.headersDistinct)) {
      for (const value of values ?? []) headers.append(name, value);
    }
    const body = incoming.method === "POST" ? Buffer.concat(await incoming.toArray()) : null;
    const req = new Request(`http://localhost${incoming.url}`, { method: incoming.method ?? "GET", headers, body });
    const reply = await fetchRequestHandler({
      endpoint: "/trpc",
      router: testRouter,
      req,
      createContext: auth.createContext,
    });
    outgoing.writeHead(reply.status, Object.fromEntries(reply.headers)).end(await reply.text());
  };
}

/** Sends header lines as they are given, which fetch would join. */
function send(url: string, headers: readonly string[]): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers: ["host", new URL(url).host, ...headers] }, async (reply) => {
      resolve({ status: reply.statusCode ?? 0, body: Buffer.concat(await reply.toArray()).toString() });
    });
    sent.on("error", reject).end();
  });
}

const alice = { username: "alice", password };

/** Calls mutations as a page of the server's own. */
function callsTo(url: string) {
  return (path: string, json: unknown, headers: Record<string, string> = {}) =>
    fetch(`${url}/trpc/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", "sec-fetch-site": "same-origin", ...headers },
      body: JSON.stringify(path.endsWith("?batch=1") ? { 0: { json } } : { json }),
    });
}

const adapters = { "tRPC's standalone adapter": standalone, "tRPC's fetch adapter": fetchAdapter };

describe.each(Object.entries(adapters))("createContext with %s", (_, adapter) => {
  it("carries a client through its life", async () => {
    await using test = await createTestAuth(testOptions);
    await using server = await listen(adapter(test));
    const client = createAuthClient<TestRouter>({ url: `${server.url}/trpc` });
    const user = await client.register({ username: "alice", password });
    await test.clock.advance({ minutes: 20 });
    expect(await client.trpc.whoami.query()).toMatchObject({ accountId: user.id });
    await client.logout();
    await expectReason(client.trpc.whoami.query(), "TOKEN_MISSING");
  });

  it("refuses two Authorization headers, even with the same good token", async () => {
    await using test = await createTestAuth(testOptions);
    await using server = await listen(adapter(test));
    const caller = test.auth.router.createCaller(test.asNobody());
    const { accessToken } = await caller.register({ username: "alice", password });
    const line = ["authorization", `Bearer ${accessToken}`];
    expect((await send(`${server.url}/trpc/whoami`, line)).status).toBe(200);
    const twice = await send(`${server.url}/trpc/whoami`, [...line, ...line]);
    expect([twice.status, twice.body.includes("TOKEN_INVALID")]).toEqual([401, true]);
    const mixed = await send(`${server.url}/trpc/whoami`, [...line, "Authorization", "Basic YTpi"]);
    expect([mixed.status, mixed.body.includes("TOKEN_INVALID")]).toEqual([401, true]);
  });

  it("sets the session cookie, reads it, and takes it away", async () => {
    await using test = await createTestAuth(testOptions);
    await using server = await listen(adapter(test));
    const call = callsTo(server.url);
    const signedIn = await call("auth.cookie.register", alice);
    const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect(cookie).toMatch(/^countersign=v1\./);
    const mine = await fetch(`${server.url}/trpc/whoami`, { headers: { cookie: `other=1; ${cookie}` } });
    expect(await mine.text()).toContain("alice");
    // As HTTP/2 splits it; and a header of any name is no method of the headers.
    const split = await send(`${server.url}/trpc/whoami`, ["cookie", "other=1", "cookie", cookie, "get", "x"]);
    expect(split.body).toContain("alice");
    const signedOut = await call("auth.logout", {}, { cookie });
    expect([signedOut.status, signedOut.headers.get("set-cookie")]).toEqual([200, expect.stringMatching(/Max-Age=0/)]);
  });

  it("takes no change from another website's page, and sets no cookie in a stream", async () => {
    await using test = await createTestAuth(testOptions);
    await using server = await listen(adapter(test));
    const call = callsTo(server.url);
    const streamed = await call("auth.cookie.register?batch=1", alice, { "trpc-accept": "application/jsonl" });
    expect(await streamed.text()).toContain("A cookie cannot be set here");
    const signedIn = await call("auth.cookie.register", alice);
    const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
    const changes = { write: { text: "x" }, "auth.logout": {}, "auth.cookie.login": alice };
    for (const [path, input] of Object.entries(changes)) {
      const foreign = await call(path, input, { cookie, "sec-fetch-site": "cross-site" });
      const refused = [path, 403, expect.stringContaining("ORIGIN_NOT_ALLOWED")];
      expect([path, foreign.status, await foreign.text()]).toEqual(refused);
    }
    expect((await call("write", { text: "x" }, { cookie })).status).toBe(200);
  });

  it("knows where the request came from, as far as the adapter does", async () => {
    await using test = await createTestAuth(testOptions);
    await using server = await listen(adapter(test));
    const client = createAuthClient<TestRouter>({ url: `${server.url}/trpc` });
    await client.register({ username: "alice", password });
    const [session] = await client.trpc.auth.sessions.list.query();
    expect(session).toMatchObject({ userAgent: "node", address: adapter === standalone ? "127.0.0.1" : null });
  });
});

describe("createContext while the database cannot be opened", () => {
  // `t` without our formatter: nothing of ours stands between an error of the context and the caller.
  const t = initTRPC.context<AuthContext>().create();
  const router = t.router({ ping: t.procedure.query(() => "pong") });

  it("is UNAVAILABLE, and says nothing of files", async () => {
    await using auth = createAuth({ ...testOptions, log: capturedLog().log, database: sqlite("/dev/null/auth.db") });
    const reply = await fetchRequestHandler({
      endpoint: "/trpc",
      router,
      req: new Request("http://localhost/trpc/ping"),
      createContext: auth.createContext,
    });
    expect(await reply.text()).not.toContain("/dev/null");
    expect(reply.status).toBe(503);
  });
});

describe("createApp", () => {
  const t = initTRPC.context<AuthContext & { tenant: string }>().create();
  const router = t.router({ tenant: t.procedure.query(({ ctx }) => ctx.tenant) });

  it("needs createContext where the router's context has more than ours, and not elsewhere", async () => {
    await using app = await testApp();
    // @ts-expect-error: the router needs a tenant, and would fail at every call.
    createApp(app.auth, { router });
    // @ts-expect-error: this context has none.
    createApp(app.auth, { router, createContext: (context) => context });
    createApp(app.auth, { router, createContext: (context) => ({ ...context, tenant: "blue" }) });
    createApp(app.auth, { router: app.auth.router });
    createApp(app.auth, { origins: ["https://app.example"] });
    createApp(app.auth);
  });
});

it("createContext keeps no more of a user agent than browsers send", async () => {
  await using app = await testApp();
  const req = new Request("http://localhost/trpc/ping", { headers: { "user-agent": "x".repeat(4_000) } });
  const { auth } = await app.auth.createContext({ req });
  expect(auth.caller.userAgent).toBe("x".repeat(512));
});

it("createContext sets no cookie where it is given no reply", async () => {
  await using app = await testApp();
  const headers = { "sec-fetch-site": "same-origin" };
  const { auth } = await app.auth.createContext({ req: new Request("http://localhost/trpc/ping", { headers }) });
  expect(() => auth.cookie.requireWritable()).toThrow("A cookie cannot be set here");
});

describe("createContext after close()", () => {
  it("is UNAVAILABLE: once it opened the database again", async () => {
    const { log, lines } = capturedLog();
    const auth = createAuth({ ...testOptions, log, database: sqlite(":memory:") });
    const { db } = await auth.start();
    await auth.close();
    await expect(db.selectFrom("accounts").selectAll().execute()).rejects.toThrow();
    const late = auth.createContext({ req: new Request("http://localhost/trpc/ping") });
    await expect(late).rejects.toMatchObject({ cause: { reason: "UNAVAILABLE" } });
    expect(lines.map(({ message }) => message)).toContain("the database cannot be opened");
  });
});

describe("our own app", () => {
  it.each(["/trpc/whoami", "/users/me"])("refuses two Authorization headers at %s", async (path) => {
    await using app = await testApp();
    const caller = app.auth.router.createCaller(app.asNobody());
    const { accessToken } = await caller.register({ username: "alice", password });
    const line = ["authorization", `Bearer ${accessToken}`];
    expect((await send(app.url + path, line)).status).toBe(200);
    const twice = await send(app.url + path, [...line, ...line]);
    expect([twice.status, twice.body.includes("TOKEN_INVALID")]).toEqual([401, true]);
  });

  it("reads the scheme without regard to case, and no other scheme", async () => {
    await using app = await testApp();
    const caller = app.auth.router.createCaller(app.asNobody());
    const { accessToken } = await caller.register({ username: "alice", password });
    const ask = async (authorization: string) =>
      (await send(`${app.url}/users/me`, ["authorization", authorization])).body;
    expect(await ask(`bEaReR ${accessToken}`)).toContain("alice");
    expect(await ask(`Basic ${accessToken}`)).toContain("TOKEN_MISSING");
    expect(await ask(`Bearer${accessToken}`)).toContain("TOKEN_MISSING");
    expect(await ask("Bearer")).toContain("TOKEN_INVALID");
    expect(await ask(`Bearer ${accessToken} ${accessToken}`)).toContain("TOKEN_INVALID");
    expect(await ask(`Bearer ${accessToken},${accessToken}`)).toContain("TOKEN_INVALID");
  });
});

describe("an address that the application tells", () => {
  const t = initTRPC.context<AuthContext>().create();
  const router = t.router({ where: t.procedure.query(({ ctx }) => ctx.auth.caller.address) });
  const ask = (auth: ReturnType<typeof createAuth>, address?: string) =>
    fetchRequestHandler({
      endpoint: "/trpc",
      router,
      req: new Request("http://localhost/trpc/where"),
      createContext: ({ req }) => auth.createContext({ req, ...(address !== undefined && { address }) }),
    }).then((reply) => reply.json());

  it("is the caller's on fetch, where a request does not say", async () => {
    await using auth = createAuth({ ...testOptions, database: sqlite(":memory:") });
    expect(await ask(auth, "203.0.113.9")).toMatchObject({ result: { data: "203.0.113.9" } });
    expect(await ask(auth)).toMatchObject({ result: { data: null } });
  });
});
