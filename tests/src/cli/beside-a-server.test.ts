import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Server } from "../support/server-process.ts";
import { password, workplace } from "../support/workplace.ts";

/** What the command line changes reaches a serving process through the feed: within a second, and a margin for busy machines. */
const soon = { timeout: 5_000, interval: 50 };

const place = workplace();
afterAll(() => place[Symbol.asyncDispose]());

let server: Server;
beforeAll(async () => {
  server = await place.serve();
  await place.json(["users", "create", "ada", "--role", "admin", "--password-stdin"], { input: password });
});

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

let tokens: Tokens;
beforeEach(async () => {
  tokens = await signIn();
});

async function signIn(secret = password): Promise<Tokens> {
  const body = new URLSearchParams({ username: "ada", password: secret });
  const response = await fetch(`${server.url}/token`, { method: "POST", body });
  expect(response.status).toBe(200);
  return (await response.json()) as Tokens;
}

async function statusOfMe({ access_token }: Tokens): Promise<number> {
  return (await fetch(`${server.url}/users/me`, { headers: { authorization: `Bearer ${access_token}` } })).status;
}

async function refresh({ refresh_token }: Tokens): Promise<Response> {
  const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token });
  return fetch(`${server.url}/token`, { method: "POST", body });
}

async function becomesUnauthorized(): Promise<void> {
  await vi.waitFor(async () => expect(await statusOfMe(tokens)).toBe(401), soon);
}

test("an account made by the command line can sign in at once", async () => {
  expect(await statusOfMe(tokens)).toBe(200);
});

test("sessions list shows the sign-in, and revoke ends that one only", async () => {
  const other = await signIn();
  const [newest, ...rest] = (await place.json(["sessions", "list", "ada"])) as { id: string }[];
  expect(newest).toEqual({
    id: expect.any(String),
    createdAt: expect.any(String),
    lastUsedAt: expect.any(String),
    expiresAt: expect.any(String),
    address: "127.0.0.1",
    userAgent: "node",
  });
  expect(rest.length).toBeGreaterThan(0);
  expect(await place.json(["sessions", "revoke", newest?.id ?? ""])).toEqual({ revoked: 1 });
  await vi.waitFor(async () => expect(await statusOfMe(other)).toBe(401), soon);
  expect(await statusOfMe(tokens)).toBe(200);
  expect(await place.json(["sessions", "revoke", newest?.id ?? ""])).toEqual({ revoked: 0 });
});

test("sessions revoke --account ends all, and says how many", async () => {
  const { stdout } = await place.run(["sessions", "revoke", "--account", "ada"]);
  expect(stdout).toMatch(/^Ended \d+ sessions?\.\n$/);
  await becomesUnauthorized();
  expect((await refresh(tokens)).status).toBe(400);
  const audit =
    "select actor_id, user_agent, details from audit_events where kind = 'session_revoked' order by id desc";
  expect(place.query(audit)[0]).toEqual({
    actor_id: null,
    user_agent: "countersign cli",
    details: '{"reason":"revoked_by_administrator"}',
  });
  expect((await place.run(["sessions", "list", "ada"])).stdout).toBe("This account has no live session.\n");
});

test("set-roles makes clients refresh, and the new token has the new roles", async () => {
  await place.json(["users", "set-roles", "ada"]);
  await becomesUnauthorized();
  const refreshed = (await (await refresh(tokens)).json()) as Tokens;
  const me = await fetch(`${server.url}/users/me`, { headers: { authorization: `Bearer ${refreshed.access_token}` } });
  expect(await me.json()).toMatchObject({ username: "ada", roles: [] });
});

test("set-password ends the sessions, and the new password signs in", async () => {
  await place.json(["users", "set-password", "ada", "--password-stdin"], { input: "another long secret\n" });
  await becomesUnauthorized();
  await signIn("another long secret");
  await place.json(["users", "set-password", "ada", "--password-stdin"], { input: password });
});

test("disable ends the sessions and refuses the next sign-in, until enable", async () => {
  await place.json(["users", "disable", "ada"]);
  await becomesUnauthorized();
  const body = new URLSearchParams({ username: "ada", password });
  expect((await fetch(`${server.url}/token`, { method: "POST", body })).status).not.toBe(200);
  await place.json(["users", "enable", "ada"]);
  expect(await statusOfMe(await signIn())).toBe(200);
});

async function publishedKids(): Promise<string[]> {
  const { keys } = (await (await fetch(`${server.url}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
}

test("keys rotate publishes the next key, which signs later; --now signs at once; --compromised forgets the others", async () => {
  const [first] = (await place.json(["keys", "list"])) as { kid: string }[];
  expect(first).toEqual({
    kid: expect.any(String),
    algorithm: "EdDSA",
    status: "current",
    createdAt: expect.any(String),
    activatesAt: expect.any(String),
    endsAt: null,
  });

  const next = (await place.json(["keys", "rotate"])) as { kid: string };
  expect(next).toMatchObject({ status: "next" });
  await vi.waitFor(async () => expect(await publishedKids()).toEqual([first?.kid, next.kid]), soon);
  expect(await statusOfMe(tokens)).toBe(200);

  const now = (await place.json(["keys", "rotate", "--now"])) as { kid: string };
  expect(now).toMatchObject({ status: "current" });
  await vi.waitFor(async () => expect(await publishedKids()).toEqual([first?.kid, now.kid]), soon);
  expect(await statusOfMe(tokens)).toBe(200);

  const clean = (await place.json(["keys", "rotate", "--compromised"])) as { kid: string };
  await becomesUnauthorized();
  expect(await publishedKids()).toEqual([clean.kid]);
  expect(await statusOfMe((await (await refresh(tokens)).json()) as Tokens)).toBe(200);
  const audit = place.query("select actor_id, details from audit_events where kind = 'key_rotated' order by id desc");
  expect(audit[0]).toEqual({ actor_id: null, details: JSON.stringify({ kid: clean.kid, compromised: true }) });
  expect((await place.run(["keys", "list"])).stdout).toMatch(/^KEY +ALGORITHM {2}STATUS .*\n\S+ +EdDSA +current /);
});

test("keys rotate says when a serving process has the key", async () => {
  const { code, stdout } = await place.run(["keys", "rotate"]);
  expect(code).toBe(0);
  const [heading, key, ...rest] = stdout.split("\n");
  expect(heading).toMatch(/^KEY +ALGORITHM/);
  expect(rest).toEqual(["", "Servers that run have it within a second, and need no restart.", ""]);
  await vi.waitFor(async () => expect(await publishedKids()).toContain(key?.split(" ")[0]), soon);
});
