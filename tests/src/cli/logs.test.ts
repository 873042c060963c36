import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { Server } from "../support/server-process.ts";
import { type Workplace, workplace } from "../support/workplace.ts";

const masterSecret = "q1aN0mUu4Wc9lq0ySg3cWm8Xq2r7ZJt5fVhD6kEoB1I";

/** Each place where a caller can put something, with a mark of its own. */
const canary = (place: string) => `canary-${place}-4f1d9b`;

/** Sends a mark in every input that there is. */
async function plantEverywhere({ url }: Server): Promise<void> {
  const form = (fields: Record<string, string>) => ({ method: "POST", body: new URLSearchParams(fields) });
  const json = (body: string, headers: Record<string, string> = {}) => ({
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
  const login = (fields: object) =>
    JSON.stringify({ json: { username: "ada", password: "wrong password", ...fields } });
  const requests: [path: string, init: RequestInit][] = [
    [`/${canary("path")}`, {}],
    [`/trpc/${canary("procedure")}`, {}],
    [`/healthz?token=${canary("query")}`, {}],
    [`/trpc/auth.session?input=${canary("input")}`, {}],
    ["/users/me", { headers: { authorization: `Bearer ${canary("bearer")}` } }],
    ["/users/me", { headers: { authorization: `Basic ${canary("basic")}` } }],
    ["/users/me", { headers: { cookie: `__Host-countersign=${canary("cookie")}` } }],
    ["/healthz", { headers: { "user-agent": canary("user-agent"), referer: `https://x/${canary("referer")}` } }],
    ["/healthz", { headers: { "x-forwarded-for": canary("forwarded"), "x-canary": canary("header") } }],
    ["/token", form({ username: "ada", password: canary("form-password") })],
    ["/token", form({ username: canary("form-username"), password: "wrong password" })],
    ["/token", form({ grant_type: "refresh_token", refresh_token: `v1.${canary("refresh")}` })],
    [
      "/token",
      form({ username: "ada", password: "x", scope: canary("scope"), client_secret: canary("client-secret") }),
    ],
    ["/token", json(`{"username": "${canary("not-a-form")}"}`)],
    ["/trpc/auth.login", json(login({ password: canary("password") }))],
    ["/trpc/auth.login", json(login({ username: canary("username") }))],
    ["/trpc/auth.login", json(login({ [canary("field")]: true }))],
    ["/trpc/auth.login", json(`{"json":{"username":"${canary("malformed")}`)],
    ["/trpc/auth.login", json(JSON.stringify({ json: {}, meta: { values: { [canary("meta")]: ["regexp"] } } }))],
    ["/trpc/auth.register", json(JSON.stringify({ json: { username: canary("bad name!"), password: "x" } }))],
    ["/trpc/auth.refresh", json(JSON.stringify({ json: { refreshToken: canary("trpc-refresh") } }))],
    ["/trpc/auth.me", { headers: { authorization: `Bearer e30.${canary("jwt")}.x` } }],
  ];
  for (const [path, init] of requests) await (await fetch(`${url}${path}`, init)).text();
}

function bytesOfDatabase(place: Workplace): string {
  const files = readdirSync(place.at("data")).filter((name) => name.startsWith("countersign.db"));
  return files.map((name) => readFileSync(place.at("data", name), "latin1")).join("");
}

test("nothing that a caller sends is written to the log or the database, but what belongs there", async () => {
  await using place = workplace();
  const env = { NODE_ENV: "production", COUNTERSIGN_SECRET: masterSecret, LOG_LEVEL: "trace" };
  const ownPassword = canary("own password of ada");
  await place.json(["users", "create", "ada", "--password-stdin"], { env, input: ownPassword });
  const server = await place.serve(env);
  await plantEverywhere(server);

  const body = new URLSearchParams({ username: "ada", password: ownPassword });
  const signedIn = await fetch(`${server.url}/token`, { method: "POST", body });
  const tokens = (await signedIn.json()) as { access_token: string; refresh_token: string };
  const headers = { authorization: `Bearer ${tokens.access_token}` };
  expect((await fetch(`${server.url}/users/me`, { headers })).status).toBe(200);
  const secrets = [tokens.access_token, tokens.refresh_token, masterSecret, ownPassword];

  // A database that is broken while it serves brings out what only errors say.
  {
    using db = new DatabaseSync(place.at("data", "countersign.db"));
    db.exec("alter table accounts rename to elsewhere");
  }
  const broken = await fetch(`${server.url}/token`, { method: "POST", body });
  expect(broken.status).toBe(500);
  expect(await broken.text()).not.toMatch(/accounts|SQL|no such/i);
  await plantEverywhere(server);

  server.signal("SIGTERM");
  expect(await server.ended).toBe(0);
  const log = server.output();
  const database = bytesOfDatabase(place);
  expect(log.split("\n").length).toBeGreaterThan(40);
  expect(log).not.toMatch(/canary-/);
  expect(database).not.toMatch(/canary-/);
  for (const secret of secrets) {
    expect(log).not.toContain(secret);
    expect(database).not.toContain(secret);
  }
  // The hash is in the database, and there alone.
  expect(database).toContain("$argon2id$");
  expect(log).not.toContain("argon2id");
  expect(log).not.toMatch(/select|insert|elsewhere|no such table/i);

  const failures = log
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ err }) => err !== undefined);
  expect(failures.length).toBeGreaterThan(0);
  for (const { err } of failures) {
    expect(err).toMatchObject({ type: "SqliteError", code: "SQLITE_ERROR", stack: expect.any(Array) });
  }
});

test("the request id of the answer is the one in the log", async () => {
  await using place = workplace();
  const server = await place.serve({ NODE_ENV: "production", COUNTERSIGN_SECRET: masterSecret });
  const response = await fetch(`${server.url}/users/me`);
  const requestId = response.headers.get("x-request-id");
  server.signal("SIGTERM");
  await server.ended;
  const lines = server
    .output()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.filter((line) => line.requestId === requestId)).toEqual([
    {
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      requestId: expect.any(String),
      method: "GET",
      route: "/users/me",
      status: 401,
      milliseconds: expect.any(Number),
      msg: "request",
    },
  ]);
});

test("a path that leads nowhere has a route that says so, as in the metrics", async () => {
  await using place = workplace();
  const server = await place.serve({ NODE_ENV: "production", COUNTERSIGN_SECRET: masterSecret });
  await fetch(`${server.url}/nothing`);
  server.signal("SIGTERM");
  await server.ended;
  expect(server.output()).toContain('"method":"GET","route":"none","status":404');
});

test("an error that nobody expected is logged without its text, and ends the process with 1", async () => {
  await using place = workplace();
  const thrower = `process.on("SIGUSR2",()=>{throw new Error("${canary("uncaught")}")})`;
  const server = await place.serve({
    NODE_ENV: "production",
    COUNTERSIGN_SECRET: masterSecret,
    // The stack names the place, and the place is the URL itself: only in base64 does it not repeat the text.
    NODE_OPTIONS: `--import=data:text/javascript;base64,${Buffer.from(thrower).toString("base64")}`,
  });
  server.signal("SIGUSR2");
  expect(await server.ended).toBe(1);
  const last = JSON.parse(server.output().trim().split("\n").at(-1) ?? "");
  expect(last).toMatchObject({ level: "error", err: { type: "Error", stack: expect.any(Array) } });
  expect(server.output()).not.toMatch(/canary-uncaught/);
});
