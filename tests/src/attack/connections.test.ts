/** Connections that no client of ours would make: they keep nobody waiting, and the server ends them. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { beforeAll, expect, it, vi } from "vitest";
import { isLong } from "../support/long-tests.ts";
import { signIn, signUp, whoami } from "../support/wire.ts";
import { type Attacked, attacked, type Memory } from "./attacked.ts";

// Node itself would end them after a minute or more.
vi.setConfig({ testTimeout: 50_000, hookTimeout: 60_000 });

let target: Attacked;
let before: Memory;
beforeAll(async () => {
  target = await attacked();
  await signUp(target.url, "alice");
  before = await target.memory();
  return () => target[Symbol.asyncDispose]();
});

function open() {
  const { hostname, port } = new URL(target.url);
  const socket = connect(Number(port), hostname).setEncoding("utf8");
  // What the server cuts is cut.
  socket.on("error", () => {});
  let received = "";
  socket.on("data", (text) => {
    received += text;
  });
  return { socket, received: () => received };
}

const ended = (socket: Socket) => (socket.closed ? null : once(socket, "close"));

/** The first is waited for longer than the others: its headers are there. */
const halves = [
  "POST /trpc/auth.login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 90000\r\n\r\n{",
  "GET /users/me HTTP/1.1\r\nhost: x\r\nx-a: ",
  "GET / HT",
  "",
];

it("those that say little, slowly, or half of it, keep nobody waiting, and are ended", async () => {
  const { url } = target;
  const sockets: Socket[] = [];
  const begun = performance.now();
  await target.expectPrompt(async () => {
    for (let count = 0; count < 300; count += 1) {
      const { socket } = open();
      socket.write(halves[count % halves.length] ?? "");
      if (count % 5 === 0) socket.end();
      sockets.push(socket);
    }
    await Promise.all(sockets.map((socket) => socket.connecting && once(socket, "connect")));
    expect(await whoami(url, await signIn(url, "alice"))).toMatchObject({ status: 200 });
  });
  const slow = open();
  slow.socket.write("GET /users/me HTTP/1.1\r\nhost: x\r\nx-slow: ");
  // A letter now and then keeps a connection from being idle, and not from being late.
  const drip = setInterval(() => slow.socket.write("a"), 500);
  // The server ends them itself, those that say nothing as well: after ten seconds, or thirty where a body is awaited.
  const withoutHeaders = sockets.filter((_, index) => index % halves.length > 0);
  await Promise.all([...withoutHeaders, slow.socket].map(ended));
  expect(performance.now() - begun).toBeLessThan(25_000);
  clearInterval(drip);
  if (isLong) await Promise.all(sockets.map(ended));
  expect(slow.received()).toMatch(/^HTTP\/1\.1 408 Request Timeout/);
  for (const socket of sockets) socket.destroy();
  await target.expectAsBefore(before);
});

const request = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

/** Asks all of them in one packet. @returns the statuses of the answers, when the connection is over. */
async function askAtOnce(paths: readonly string[]) {
  const { socket, received } = open();
  const close = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).join("") + close);
  await ended(socket);
  return [...received().matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
}

const asked = (count: number) =>
  Array.from({ length: count }, (_, index) => (index % 2 === 0 ? "/healthz" : "/users/me"));
const statusesOf = (paths: readonly string[]) => paths.map((path) => (path === "/healthz" ? 200 : 401));

it("one that asks many things at once gets as many answers, in their order", async () => {
  const paths = asked(100);
  await target.expectPrompt(async () => expect(await askAtOnce(paths)).toEqual([...statusesOf(paths), 200]));
  await target.expectAsBefore(before);
});

it("one that asks more than any client does is refused the rest, and ended", async () => {
  // To read them takes Node longer than to refuse them: of as many as one packet holds, 1,800, fifty milliseconds on a slow machine.
  const paths = asked(1_000);
  await target.expectPrompt(async () => {
    const statuses = await askAtOnce(paths);
    expect(statuses.length).toBeLessThan(103);
    // It is told why, unless an answer has begun.
    const answered = statuses.at(-1) === 400 ? statuses.slice(0, -1) : statuses;
    expect(answered).toEqual(statusesOf(paths).slice(0, answered.length));
  });
  await target.expectAsBefore(before);
});

it("one that asks so much before any answer has begun is told why", async () => {
  const { socket, received } = open();
  const body = JSON.stringify({ json: { username: "alice", password: "not the password" } });
  // To compare a password takes longer than to read what comes behind it.
  const login = `POST /trpc/auth.login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  socket.write(`${login}\r\n\r\n${body}${request.repeat(110)}`);
  await ended(socket);
  expect(received()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(received()).toMatch(/"error_description":"Too many requests of this connection wait for answers\."/);
  expect(received().match(/HTTP\/1\.1/g)).toHaveLength(1);
});

it("one that had an answer before may ask no more at once than any other", async () => {
  const { socket, received } = open();
  socket.write(request);
  await once(socket, "data");
  expect(received()).toMatch(/^HTTP\/1\.1 200/);
  const closed = once(socket, "close");
  socket.write(request.repeat(1_000));
  await closed;
  expect(received().match(/HTTP\/1\.1/g)?.length).toBeLessThan(103);
});

it.each([
  ["goes on asking", request.repeat(1_000)],
  ["says what is no request", "no request\r\n\r\n"],
])("one that %s behind an answer that does not end is ended, and nothing is written into that", async (_, more) => {
  const { socket, received } = open();
  const input = encodeURIComponent(JSON.stringify({ json: { after: 0 } }));
  socket.write(`GET /trpc/auth.feed?input=${input} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n`);
  await once(socket, "data");
  expect(received()).toMatch(/^HTTP\/1\.1 200/);
  const closed = once(socket, "close");
  socket.write(more);
  await closed;
  expect(received().match(/HTTP\/1\.1/g)).toHaveLength(1);
  await target.expectAsBefore(before);
});

it("one that asks the next when it has an answer may do so as long as it likes", async () => {
  const { socket, received } = open();
  const answers = () => received().match(/HTTP\/1\.1 200/g)?.length ?? 0;
  let sent = 60;
  socket.write(request.repeat(sent));
  while (answers() < 600) {
    await once(socket, "data");
    const more = Math.min(answers() + 60, 600) - sent;
    sent += more;
    socket.write(request.repeat(more));
  }
  expect(received()).not.toMatch(/HTTP\/1\.1 400/);
  socket.destroy();
});
