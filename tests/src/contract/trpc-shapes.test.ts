/** What each procedure answers, as it goes over the wire: fields that appear or go are seen here. */
import { accessMatrix } from "@countersign/server";
import { describe, expect, it } from "vitest";
import { administrator, signIn, signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import { testRouter } from "../support/test-router.ts";

const date = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const uuid = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
const user = { id: uuid, username: "alice", email: null, roles: [] };
const account = { ...user, disabled: false, createdAt: date, deletedAfter: null };
const session = {
  id: uuid,
  current: true,
  createdAt: date,
  lastUsedAt: date,
  expiresAt: date,
  address: null,
  userAgent: null,
};
const signedIn = {
  accessToken: expect.any(String),
  tokenType: "Bearer",
  expiresAt: date,
  expiresIn: 900,
  refreshToken: expect.any(String),
  scope: "notes:read notes:write",
  user,
};

const signedInSession = {
  id: uuid,
  user,
  scopes: ["notes:read", "notes:write"],
  authTime: date,
  expiresAt: date,
};

/** A JWS, with the header of the feed's. */
const signedFeed = expect.toSatisfy((text: string) => {
  const header = JSON.parse(Buffer.from(text.split(".")[0] ?? "", "base64url").toString());
  return header.typ === "feed+jwt" && header.alg === "EdDSA" && text.split(".").length === 3;
});

interface World {
  readonly app: TestApp;
  readonly alice: Awaited<ReturnType<typeof signUp>>;
  readonly sessionId: string;
}

/** A call: its input as JSON, who makes it, and the answer as JSON. */
interface Row {
  readonly input?: (world: World) => object | Promise<object>;
  /** What must be so before. */
  readonly before?: (world: World) => Promise<unknown>;
  readonly by?: "alice" | "root";
  readonly answer: unknown;
}

const event = {
  id: uuid,
  at: date,
  kind: "sign_in",
  sessionId: uuid,
  byAdministrator: false,
  address: null,
  userAgent: null,
  details: {},
};
const ownAccount = { ...user, createdAt: date, editable: true, deletedAfter: null, passwordExpiresAt: null };
const signingKey = {
  kid: expect.stringMatching(/^[\w-]{22}$/),
  algorithm: "EdDSA",
  status: "current",
  createdAt: date,
  activatesAt: date,
  endsAt: null,
};

const byId = { input: ({ alice }: World) => ({ id: alice.user.id }), by: "root" as const };

const shapes: Record<string, Row> = {
  "account.get": { by: "alice", answer: ownAccount },
  "account.update": {
    input: () => ({ email: "alice@example.com" }),
    by: "alice",
    answer: { ...ownAccount, email: "alice@example.com" },
  },
  "account.remove": { by: "alice", answer: { deletedAfter: date } },
  "account.keep": { by: "alice", answer: ownAccount },
  "account.events": {
    input: () => ({ limit: 1, kinds: ["sign_in"] }),
    by: "alice",
    answer: { events: [event], nextCursor: null },
  },
  "admin.events": {
    input: ({ alice }) => ({ accountId: alice.user.id, kinds: ["sign_in"] }),
    by: "root",
    answer: {
      events: [{ ...event, account: { id: uuid, username: "alice" }, actor: null, requestId: null }],
      nextCursor: null,
    },
  },
  "admin.activity": {
    by: "root",
    answer: [{ at: date, signIns: expect.any(Number), failedSignIns: 0, refreshes: 0 }],
  },
  "admin.health": {
    by: "root",
    answer: {
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      startedAt: date,
      database: { dialect: expect.stringMatching(/^(sqlite|postgres)$/), writeMs: expect.any(Number) },
      feed: { ageMs: expect.any(Number), isStale: false, subscriptions: 0 },
      hashes: 0,
    },
  },
  "admin.keys.list": { by: "root", answer: [signingKey] },
  "admin.keys.rotate": { by: "root", answer: { ...signingKey, status: "next" } },
  "auth.register": {
    input: () => ({ username: "bob", password }),
    answer: { ...signedIn, user: { ...user, username: "bob" } },
  },
  "auth.login": { input: () => ({ username: "alice", password }), answer: signedIn },
  "auth.refresh": { input: ({ alice }) => ({ refreshToken: alice.refreshToken }), answer: signedIn },
  "auth.feed": { answer: signedFeed },
  "auth.feedSnapshot": { answer: signedFeed },
  "auth.logout": { by: "alice", answer: { revoked: 1 } },
  "auth.session": { by: "alice", answer: signedInSession },
  "auth.cookie.register": {
    input: () => ({ username: "bob", password }),
    answer: { ...signedInSession, user: { ...user, username: "bob" } },
  },
  "auth.cookie.login": { input: () => ({ username: "alice", password }), answer: signedInSession },
  "auth.cookie.setUp": {
    before: async ({ app }) => (await app.auth.start()).db.deleteFrom("accounts").execute(),
    input: async ({ app }) => ({ username: "bob", password, code: (await app.auth.start()).setupCode }),
    answer: { ...signedInSession, user: { ...user, username: "bob", roles: ["admin"] } },
  },
  "auth.me": { by: "alice", answer: user },
  "auth.changePassword": {
    input: () => ({ currentPassword: password, newPassword: "an even better horse battery" }),
    by: "alice",
    answer: { revoked: 0 },
  },
  "auth.sessions.list": { by: "alice", answer: [session] },
  "auth.sessions.revoke": { input: ({ sessionId }) => ({ id: sessionId }), by: "alice", answer: { revoked: 1 } },
  "auth.sessions.revokeOthers": { by: "alice", answer: { revoked: 0 } },
  "users.list": {
    input: () => ({ limit: 1, search: "alice" }),
    by: "root",
    answer: { accounts: [account], nextCursor: null },
  },
  "users.get": { ...byId, answer: account },
  "users.create": {
    input: () => ({ username: "carol", password, email: "carol@example.com", roles: ["moderator"] }),
    by: "root",
    answer: { ...account, username: "carol", email: "carol@example.com", roles: ["moderator"] },
  },
  "users.setRoles": {
    input: ({ alice }) => ({ id: alice.user.id, roles: ["moderator"] }),
    by: "root",
    answer: { ...account, roles: ["moderator"] },
  },
  "users.setPassword": {
    input: ({ alice }) => ({ id: alice.user.id, password: "an even better horse battery" }),
    by: "root",
    answer: account,
  },
  "users.setTemporaryPassword": {
    ...byId,
    answer: { password: expect.stringMatching(/^[a-z0-9]{5}(-[a-z0-9]{5}){3}$/), expiresAt: date },
  },
  "users.disable": { ...byId, answer: { ...account, disabled: true } },
  "users.enable": { ...byId, answer: account },
  "users.remove": { ...byId, answer: account },
  "users.sessions.list": { ...byId, answer: [{ ...session, current: false }] },
  "users.sessions.revoke": { input: ({ sessionId }) => ({ id: sessionId }), by: "root", answer: { revoked: 1 } },
  "users.sessions.revokeAll": { ...byId, answer: { revoked: 1 } },
};

const ours = accessMatrix(testRouter).filter(({ path }) => /^(account|admin|auth|users)\./.test(path));

async function makeWorld(app: TestApp): Promise<World> {
  const alice = await signUp(app);
  await (await administrator(app)).create({ username: "chief", password, roles: ["admin"] });
  const [latest] = await app.auth.router.createCaller(await contextOf(app, alice.accessToken)).sessions.list();
  return { app, alice, sessionId: latest?.id ?? "" };
}

function contextOf(app: TestApp, accessToken: string) {
  const headers = { authorization: `Bearer ${accessToken}` };
  return app.auth.createContext({ req: new Request(app.url, { headers }) });
}

/** Calls a procedure as a foreign program would, and reads the answer's JSON. */
async function answerTo(world: World, { path, type }: { path: string; type: string }, row: Row): Promise<unknown> {
  const { app, alice } = world;
  const caller = row.by === "root" ? await signIn(app, "chief") : alice;
  const credentials = row.by === undefined ? {} : { authorization: `Bearer ${caller.accessToken}` };
  // As a page of the server's own origin sends it.
  const headers: Record<string, string> = { "sec-fetch-site": "same-origin", ...credentials };
  if (type === "subscription") return firstEvent(app, path);
  const input = row.input === undefined ? "" : JSON.stringify({ json: await row.input(world) });
  const reply =
    type === "query"
      ? await app.request(`/trpc/${path}${input && `?input=${encodeURIComponent(input)}`}`, { headers })
      : await app.call(path, input, headers);
  expect([reply.status, reply.headers.get("cache-control")]).toEqual([200, "no-store"]);
  const body = (await reply.json()) as { result: { data: { json: unknown } } };
  return body.result.data.json;
}

/** What a stream begins with, behind the word that it is open. */
async function firstEvent(app: TestApp, path: string): Promise<unknown> {
  const reply = await app.request(`/trpc/${path}`, { headers: { accept: "text/event-stream" } });
  expect(reply.status).toBe(200);
  let text = "";
  for await (const chunk of reply.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const data = /^data: (.*)\nid: \d+\n\n/m.exec(text)?.[1];
    if (data !== undefined) return JSON.parse(data).json;
  }
  return expect.fail(`the stream ended after ${text}`);
}

describe("the answer", () => {
  it.each(ours)("of $path has exactly the fields of the contract", async (procedure) => {
    const row = shapes[procedure.path];
    if (row === undefined) return expect.fail(`"${procedure.path}" has no shape in this table`);
    await using app = await testApp();
    const world = await makeWorld(app);
    await row.before?.(world);
    expect(await answerTo(world, procedure, row)).toEqual(row.answer);
  });

  it("of auth.session is null for a caller who is not signed in, and for one whose token is bad", async () => {
    await using app = await testApp();
    for (const headers of [{}, { authorization: "Bearer nonsense" }]) {
      const reply = await app.request("/trpc/auth.session", { headers });
      expect([reply.status, await reply.json()]).toEqual([200, { result: { data: { json: null } } }]);
    }
  });
});

it("no procedure of the contract has gone", () => {
  expect(ours.map(({ path }) => path)).toEqual(Object.keys(shapes).sort());
});
