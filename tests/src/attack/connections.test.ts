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
  const ending = sockets.filter((_, index) => isLong || index % halves.length > 0);
  await Promise.all([...ending, slow.socket].map(ended));
  clearInterval(drip);
  expect(slow.received()).toMatch(/^HTTP\/1\.1 408 Request Timeout/);
  for (const socket of sockets) socket.destroy();
  await target.expectAsBefore(before);
});

it("one that asks many things at once gets as many answers, in their order", async () => {
  // Those that arrive together are begun together: ten times as many would be a second of work.
  const asked = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? "/healthz" : "/users/me"));
  await target.expectPrompt(async () => {
    const { socket, received } = open();
    socket.write(asked.map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).join(""));
    socket.write("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    await ended(socket);
    const statuses = [...received().matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);
    expect(statuses).toEqual([...asked.map((path) => (path === "/healthz" ? "200" : "401")), "200"]);
  });
  await target.expectAsBefore(before);
});
