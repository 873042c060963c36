/** Every reason: how it comes about over HTTP, and that the wire says of it what the table of reasons does. */

import { createApp, createAuth, serve } from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import { isReason, type Reason, reasons } from "@countersign/shared";
import { describe, expect, it } from "vitest";
import { capturedLog } from "../support/captured-log.ts";
import { administrator, refresh, signIn, signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import { testOptions, testRouter } from "../support/test-router.ts";

const as = ({ accessToken }: { accessToken: string }) => ({ authorization: `Bearer ${accessToken}` });
const login = (app: TestApp) => app.call("auth.login", { json: { username: "alice", password } });
const register = (app: TestApp, more: object = {}) =>
  app.call("auth.register", { json: { username: "alice", password, ...more } });

type Options = Parameters<typeof testApp>[0];

/** What brings each reason about, in a fresh application. */
const provocations = {
  INVALID_CREDENTIALS: [{}, login],
  ACCOUNT_DISABLED: [
    {},
    async (app) => {
      const { user } = await signUp(app);
      await (await administrator(app)).disable({ id: user.id });
      return login(app);
    },
  ],
  TOKEN_MISSING: [{}, (app) => app.request("/trpc/whoami")],
  TOKEN_INVALID: [{}, (app) => app.request("/trpc/whoami", { headers: as({ accessToken: "nonsense" }) })],
  TOKEN_EXPIRED: [
    {},
    async (app) => {
      const session = await signUp(app);
      await app.clock.advance({ minutes: 20 });
      return app.request("/trpc/whoami", { headers: as(session) });
    },
  ],
  SESSION_REVOKED: [
    {},
    async (app) => {
      const session = await signUp(app);
      await app.call("auth.logout", { json: null, meta: { values: ["undefined"] } }, as(session));
      return app.request("/trpc/whoami", { headers: as(session) });
    },
  ],
  SESSION_REUSED: [
    {},
    async (app) => {
      const first = await signUp(app);
      await refresh(app, await refresh(app, first));
      return app.call("auth.refresh", { json: { refreshToken: first.refreshToken } });
    },
  ],
  ORIGIN_NOT_ALLOWED: [
    {},
    (app) =>
      app.call("auth.cookie.login", { json: { username: "alice", password } }, { "sec-fetch-site": "cross-site" }),
  ],
  INSUFFICIENT_SCOPE: [{}, async (app) => app.call("moderate", { json: null }, as(await signUp(app)))],
  INSUFFICIENT_ROLE: [{}, async (app) => app.call("tidy", { json: null }, as(await signUp(app)))],
  FRESH_LOGIN_REQUIRED: [
    {},
    async (app) => {
      const session = await signUp(app);
      await app.clock.advance({ minutes: 6 });
      return app.call("dangerous", { json: null }, as(session));
    },
  ],
  RATE_LIMITED: [
    { limits: { loginsPerAccount: 1 } },
    async (app) => {
      await login(app);
      return login(app);
    },
  ],
  USERNAME_TAKEN: [
    {},
    async (app) => {
      await register(app);
      return register(app);
    },
  ],
  EMAIL_TAKEN: [
    {},
    async (app) => {
      await register(app, { email: "alice@example.com" });
      return register(app, { username: "bob", email: "alice@example.com" });
    },
  ],
  WEAK_PASSWORD: [{}, (app) => register(app, { password: "short" })],
  REGISTRATION_CLOSED: [{ registration: "closed" }, (app) => register(app)],
  LAST_ADMIN: [
    {},
    async (app) => {
      const root = await signUp(app);
      const chief = await administrator(app);
      await chief.setRoles({ id: root.user.id, roles: ["admin"] });
      const again = await signIn(app);
      const { accounts } = await chief.list();
      for (const { id, username } of accounts) if (username === "root") await chief.disable({ id });
      return app.call("account.remove", "", as(again));
    },
  ],
  NOT_FOUND: [{}, (app) => app.request("/trpc/nothing.here")],
  BAD_REQUEST: [{}, (app) => register(app, { username: 5 })],
} as const satisfies Partial<Record<Reason, readonly [Options, (app: TestApp) => Promise<Response>]>>;

interface Refused {
  readonly message: string;
  readonly data: {
    readonly reason: Reason;
    readonly details: { retryAfter?: number };
    readonly httpStatus: number;
    readonly code: string;
  };
}

/** Expects a reply to say of a reason what the table says. */
async function expectOnTheWire(reply: Response, reason: Reason): Promise<void> {
  const { error } = (await reply.json()) as { error: { json: Refused } };
  const { status } = reasons[reason];
  expect(error.json.data).toMatchObject({ reason, httpStatus: status });
  expect(reply.status).toBe(status);
  expect(error.json.message.length).toBeGreaterThan(10);
  expect(reply.headers.get("cache-control")).toBe("no-store");
  expect(reply.headers.has("www-authenticate")).toBe(
    status === 401 || reason === "INSUFFICIENT_SCOPE" || reason === "FRESH_LOGIN_REQUIRED",
  );
  const waits = status === 429 || status === 503;
  expect(reply.headers.get("retry-after")).toBe(waits ? String(error.json.data.details.retryAfter) : null);
  if (waits) expect(error.json.data.details.retryAfter).toBeGreaterThan(0);
}

describe("on the wire", () => {
  it.each(Object.entries(provocations))("%s is what the table says", async (reason, [options, provoke]) => {
    await using app = await testApp(options);
    if (!isReason(reason)) return expect.fail();
    await expectOnTheWire(await provoke(app), reason);
  });

  it("BUSY is what the table says, when as many passwords wait as may", async () => {
    await using auth = createAuth({
      ...testOptions,
      database: sqlite(":memory:"),
      passwordHashing: { memoryKiB: 1_024, iterations: 1, concurrency: 1, queue: 0 },
    });
    await using app = await served(auth);
    const { hasher } = await auth.start();
    let isOver = false;
    // The one place is taken again before anything else can run.
    const others = (async () => {
      while (!isOver) await hasher.hash(password);
    })();
    const reply = await app.login();
    isOver = true;
    await others;
    await expectOnTheWire(reply, "BUSY");
    expect((await app.login()).status).toBe(401);
  });

  it("UNAVAILABLE is what the table says, when the database cannot be opened", async () => {
    const { log, lines } = capturedLog();
    await using auth = createAuth({ ...testOptions, log, database: sqlite(`${import.meta.filename}/auth.db`) });
    await using app = await served(auth);
    await expectOnTheWire(await app.login(), "UNAVAILABLE");
    expect(await (await fetch(`${app.url}/users/me`)).json()).toMatchObject({
      error: "temporarily_unavailable",
      reason: "UNAVAILABLE",
    });
    expect(lines.filter(({ level }) => level === "error")).toContainEqual(
      expect.objectContaining({ message: "the database cannot be opened" }),
    );
  });

  it("no reason is without a test", () => {
    const provoked = [...Object.keys(provocations), "BUSY", "UNAVAILABLE"];
    expect(provoked.sort()).toEqual(Object.keys(reasons).sort());
  });
});

describe("INVALID_CREDENTIALS", () => {
  it("tells nothing of the account, disabled or not", async () => {
    await using app = await testApp();
    const { user } = await signUp(app);
    const wrong = () => app.call("auth.login", { json: { username: "alice", password: "wrong" } });
    const before = await (await wrong()).text();
    await (await administrator(app)).disable({ id: user.id });
    expect(await (await wrong()).text()).toBe(before);
    await expect(signIn(app)).rejects.toMatchObject({ cause: { reason: "ACCOUNT_DISABLED" } });
  });
});

async function served(auth: Parameters<typeof createApp>[0]) {
  const server = await serve(createApp(auth, { router: testRouter }), { port: 0, host: "127.0.0.1" });
  return {
    url: server.url,
    login: () =>
      fetch(`${server.url}/trpc/auth.login`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ json: { username: "alice", password } }),
      }),
    [Symbol.asyncDispose]: () => server.close({ drainMs: 0 }),
  };
}
