import { once } from "node:events";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { expect, test, vi } from "vitest";
import type { Server } from "../support/server-process.ts";
import { password, workplace } from "../support/workplace.ts";

const secret = "q1aN0mUu4Wc9lq0ySg3cWm8Xq2r7ZJt5fVhD6kEoB1I";
const production = {
  NODE_ENV: "production",
  COUNTERSIGN_SECRET: secret,
  COUNTERSIGN_ISSUER: "https://auth.example.com",
};

test("a first start makes the database and the secret, and says where it listens and what to do next", async () => {
  await using place = workplace();
  const server = await place.serve();
  const output = server.output();
  expect(output).toMatch(
    /applied migration 2 \(account-life\)\nCountersign \d+\.\d+\.\d+ listens on http:\/\/127\.0\.0\.1:\d+\n/,
  );
  expect(output).toContain(`API docs   ${server.url}/docs\n`);
  expect(output).toContain(`Database   ${place.at("data", "countersign.db")}\n`);
  expect(output).toContain(`It is kept in ${place.at("data", "countersign.secret")}.\n`);
  expect(output).toContain(`curl ${server.url}/trpc/auth.register`);
  expect(output).toContain("users create grace --role admin\n");
  for (const file of ["countersign.db", "countersign.secret"]) {
    expect(statSync(place.at("data", file)).mode & 0o777).toBe(0o600);
  }

  expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({ status: "ready" });
  server.signal("SIGTERM");
  expect(await server.ended).toBe(0);
});

test("the first steps work as they are printed", async () => {
  await using place = workplace();
  const server = await place.serve();
  const body = /-d '(\{.*\})'/.exec(server.output())?.[1] ?? "";
  const headers = { "content-type": "application/json" };
  const registered = await fetch(`${server.url}/trpc/auth.register`, { method: "POST", headers, body });
  expect(registered.status).toBe(200);
  const form = new URLSearchParams({ username: "ada", password });
  const signedIn = await fetch(`${server.url}/token`, { method: "POST", body: form });
  expect(await signedIn.json()).toMatchObject({ token_type: "bearer" });
});

test("the first account, an administrator's, is made with the code that is printed, and then nobody's", async () => {
  await using place = workplace();
  const server = await place.serve();
  const code = /\/setup#code=([\da-f-]+)\n/.exec(server.output())?.[1] ?? "";
  const again = await place.run(["setup"]);
  expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(new RegExp(`/setup#code=${code}\n$`))]);
  const body = new URLSearchParams({ username: "ada", password, code });
  const made = await fetch(`${server.url}/setup`, {
    method: "POST",
    body,
    headers: { origin: server.url },
    redirect: "manual",
  });
  expect([made.status, made.headers.get("location")]).toEqual([303, "/account"]);
  expect(await place.json(["users", "list"])).toMatchObject([{ username: "ada", roles: ["admin"] }]);
  const late = await place.run(["setup"]);
  expect([late.code, late.stdout]).toEqual([1, ""]);
  expect(late.stderr).toContain("There are accounts already");
});

test("a second start, with accounts, keeps to where it listens", async () => {
  await using place = workplace();
  await place.json(["users", "create", "ada", "--password-stdin"], { input: password });
  const server = await place.serve();
  expect(server.output()).not.toMatch(/migration|There is no account yet/);
  expect(server.output()).toMatch(/listens on/);
});

test("in production every line is JSON, and the rest is the same", async () => {
  await using place = workplace();
  const server = await place.serve({ ...production, COUNTERSIGN_ALGO: "EdDSA" });
  await fetch(`${server.url}/healthz`);
  server.signal("SIGINT");
  expect(await server.ended).toBe(0);
  const lines = server
    .output()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ level, msg }) => `${level}: ${msg}`)).toEqual([
    "info: applying migration 1 (initial)",
    "info: applied migration 1 (initial)",
    "info: applying migration 2 (account-life)",
    "info: applied migration 2 (account-life)",
    expect.stringMatching(/^warn: COUNTERSIGN_ALGO means nothing to this version/),
    `info: listening on ${server.url}`,
    "info: request",
    "info: stopping: requests under way may end",
  ]);
  expect(lines.at(-2)).toMatchObject({ method: "GET", route: "/healthz", status: 200, requestId: expect.any(String) });
});

/** Sends the head of a request, and half of its body. */
async function halfARequest(server: Server): Promise<{ socket: Socket; rest: string }> {
  const body = new URLSearchParams({ username: "nobody", password }).toString();
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  const head = `POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: ${body.length}\r\n\r\n`;
  socket.write(head + body.slice(0, 10));
  // The server has it when it answers somebody who came later.
  await fetch(`${server.url}/healthz`);
  return { socket, rest: body.slice(10) };
}

test("SIGTERM lets a request under way end, and takes no new one", async () => {
  await using place = workplace();
  const server = await place.serve();
  const { socket, rest } = await halfARequest(server);
  server.signal("SIGTERM");
  await vi.waitUntil(() => server.output().includes("stopping"));
  await expect(fetch(`${server.url}/healthz`)).rejects.toThrow("fetch failed");
  socket.write(rest);
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain("invalid_grant");
  expect(await server.ended).toBe(0);
});

test("while it stops it is not ready", async () => {
  await using place = workplace();
  const server = await place.serve();
  const { socket, rest } = await halfARequest(server);
  server.signal("SIGTERM");
  await vi.waitUntil(() => server.output().includes("stopping"));
  socket.write(`${rest}GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n`);
  expect(await text(socket)).toContain("The server is stopping.");
});

test("a second signal ends it at once", async () => {
  await using place = workplace();
  const server = await place.serve();
  const { socket } = await halfARequest(server);
  socket.on("error", () => {});
  server.signal("SIGTERM");
  await vi.waitUntil(() => server.output().includes("stopping"));
  server.signal("SIGTERM");
  expect(await server.ended).toBe(143);
});

test("a port in use is told in a sentence", async () => {
  await using place = workplace();
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const { code, stderr } = await place.run(["serve"], { env: { PORT: String(port) } });
  taken.close();
  expect(code).toBe(1);
  expect(stderr).toBe(`Port ${port} on 127.0.0.1 is in use. Stop what uses it, or set PORT to another.\n`);
});

test("an address of another machine is told in a sentence", async () => {
  await using place = workplace();
  const { code, stderr } = await place.run(["serve"], { env: { PORT: "0", HOST: "192.0.2.1" } });
  expect(code).toBe(1);
  expect(stderr).toBe("192.0.2.1 is no address of this machine. Set HOST to one that is.\n");
});

test("a bad environment stops the start with one message that names every variable", async () => {
  await using place = workplace();
  const env = { PORT: "http", COUNTERSIGN_ORIGINS: "*", NODE_ENV: "production" };
  const { code, stdout, stderr } = await place.run(["serve"], { env });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr.split("\n").map((line) => line.trim().split(" must ")[0])).toEqual([
    "The environment has 3 mistakes:",
    "- PORT",
    "- COUNTERSIGN_ORIGINS",
    "- COUNTERSIGN_SECRET",
    "",
  ]);
});

const unusable: { readonly name: string; readonly plant: (file: string) => void; readonly says: RegExp }[] = [
  { name: "a directory", plant: (file) => mkdirSync(file), says: /is not a file\. Name a file/ },
  {
    name: "something else",
    plant: (file) => writeFileSync(file, "Dear diary, …\n".repeat(500)),
    says: /is damaged, or is not an SQLite database\. Restore it/,
  },
  {
    name: "of another application",
    plant(file) {
      using db = new DatabaseSync(file);
      db.exec("create table accounts (id integer primary key)");
    },
    says: /Migration 1 \(initial\) failed and was undone.*give Countersign a database of its own/,
  },
  {
    name: "newer than the program",
    plant(file) {
      using db = new DatabaseSync(file);
      db.exec(`create table countersign_migrations (id integer primary key not null, name text not null, checksum text not null, requires integer not null, applied_at integer not null) strict;
        insert into countersign_migrations values (9001, 'from-the-future', 'x', 9001, 0)`);
    },
    says: /^The database has migration 9001, .* Run the version that migrated it, or a later one\.\n$/,
  },
];

test.for(unusable)("a database that is $name stops the start with a sentence", async ({ plant, says }) => {
  await using place = workplace();
  mkdirSync(place.at("data"));
  plant(place.at("data", "countersign.db"));
  const { code, stderr } = await place.run(["serve"], { env: { PORT: "0" } });
  expect(code).toBe(1);
  expect(stderr).toMatch(says);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

test("a secret that is not the one of the database stops the start with a sentence", async () => {
  await using place = workplace();
  await place.run(["users", "create", "ada", "--password-stdin"], { env: production, input: password });
  const { code, stderr } = await place.run(["serve"], { env: { PORT: "0" } });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^The signing keys in the database were sealed with another secret\. Start with the secret/);
  expect(stderr).not.toContain(secret);
});
