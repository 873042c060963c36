/** A process that may have no more files, or no more memory: those who are connected are served, and all is well when there is room again. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { Pool } from "undici";
import { describe, expect, it, vi } from "vitest";
import { ledger } from "../support/ledger.ts";
import { databases, isLong } from "../support/long-tests.ts";
import { startNode } from "../support/node-process.ts";
import { kill } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { createDatabase } from "../support/test-database.ts";
import { call, password, signUp, whoami } from "../support/wire.ts";

vi.setConfig({ testTimeout: 120_000 });

async function nodeOn(kind: "sqlite" | "postgres", options: Parameters<typeof startNode>[1]) {
  const folder = await temporaryFolder();
  const { child, server } = startNode(
    kind === "sqlite" ? `file:${folder.file("auth.db")}` : await createDatabase(),
    options,
  );
  return {
    ...(await server),
    isAlive: () => child.exitCode === null && child.signalCode === null,
    pid: child.pid ?? expect.fail("no process"),
    async [Symbol.asyncDispose]() {
      await kill(child);
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe.runIf(process.platform !== "win32").each(databases)("on %s, without a file left", (kind) => {
  it("a connection that is there is served, and others are when there is room again", async () => {
    await using node = await nodeOn(kind, { openFiles: 96 });
    const { url } = node;
    const alice = await signUp(url, "alice");
    const { hostname, port } = new URL(url);
    // One that is kept alive, and stays.
    const kept = new Pool(url, { connections: 1, keepAliveTimeout: 60_000 });
    const ask = async (path: string, init: { method?: "POST"; body?: string } = {}) => {
      const headers = { authorization: `Bearer ${alice.accessToken}`, "content-type": "application/json" };
      const reply = await kept.request({ path: `/trpc/${path}`, method: "GET", ...init, headers });
      await reply.body.dump();
      return reply.statusCode;
    };
    expect(await ask("whoami")).toBe(200);

    const sockets: Socket[] = [];
    for (let count = 0; count < 200; count += 1) {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => {});
      sockets.push(socket);
    }
    await vi.waitFor(() => expect(sockets.filter((socket) => socket.closed).length).toBeGreaterThan(0), {
      timeout: 20_000,
    });
    expect(await ask("whoami")).toBe(200);
    const input = JSON.stringify({ json: { username: "alice", password } });
    expect(await ask("auth.login", { method: "POST", body: input })).toBe(200);

    for (const socket of sockets) socket.destroy();
    await vi.waitFor(async () => expect(await whoami(url, alice)).toMatchObject({ status: 200 }), {
      timeout: 20_000,
    });
    await kept.close();
    const people = ledger();
    for (let count = 0; count < 3; count += 1) expect((await people.signUp(url)).reason).toBeNull();
    await people.expectKept(url);
  });
});

/** In MiB. */
function memoryOf(pid: number): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1_024;
}

it.runIf(process.platform === "linux")(
  "in a heap of 64 MB, strangers' names, addresses, tokens and bodies are not gathered",
  { timeout: isLong ? 1_200_000 : 120_000 },
  async () => {
    const [rounds, strangers] = isLong ? [40, 1_000] : [1, 100];
    const passwordHashing = { memoryKiB: 8, iterations: 1, parallelism: 1 };
    await using node = await nodeOn("sqlite", {
      env: {
        NODE_OPTIONS: "--max-old-space-size=64",
        COUNTERSIGN_TRUSTED_PROXIES: "127.0.0.1",
        TEST_NODE_OPTIONS: JSON.stringify({ passwordHashing }),
      },
    });
    const { url, pid } = node;
    const alice = await signUp(url, "alice");
    const pool = new Pool(url, { connections: 50 });
    const send = async (path: string, headers: Record<string, string>, body: string | null) => {
      const reply = await pool.request({ path, method: body === null ? "GET" : "POST", headers, body });
      await reply.body.dump();
      expect(reply.statusCode).toBeLessThan(504);
      expect(reply.statusCode).not.toBe(500);
    };
    const round = (number: number) =>
      Promise.all(
        Array.from({ length: strangers }, async (_, index) => {
          const stranger = `stranger-${number}-${index}`;
          // Each from somewhere else: none is refused before anything of it is looked at.
          const from = `10.${number + 100}.${index >> 8}.${index & 255}`;
          const json = { "content-type": "application/json", "x-forwarded-for": from };
          await send("/trpc/whoami", { authorization: `Bearer ${stranger}.${"x".repeat(4_000)}.y` }, null);
          await send("/trpc/auth.login", json, JSON.stringify({ json: { username: stranger, password: stranger } }));
          await send("/trpc/auth.refresh", json, JSON.stringify({ json: { refreshToken: `v1.${stranger}` } }));
          await send("/users/me", { cookie: `__Host-countersign=${stranger}${"y".repeat(2_000)}` }, null);
          if (index % 20 === 0) await send("/trpc/auth.login", json, `{"json":"${"z".repeat(90_000)}"}`);
        }),
      );
    // Memory that the system has lent once stays: so much is in use at a time.
    for (let number = 0; number < (isLong ? 6 : 1); number += 1) await round(-number);
    const before = memoryOf(pid);
    for (let number = 1; number <= rounds; number += 1) await round(number);
    const after = memoryOf(pid);
    await pool.close();
    expect(node.isAlive()).toBe(true);
    expect(await whoami(url, alice)).toMatchObject({ status: 200 });
    console.log(`memory: ${before.toFixed(0)} MB, after ${rounds} more rounds ${after.toFixed(0)} MB`);
    // In a short run it is still being lent.
    if (isLong) expect(after).toBeLessThan(before * 1.1);
  },
);

it("a call on a connection that is cut before its answer is done, or not, and never by half", async () => {
  await using node = await nodeOn("sqlite", {});
  const { url } = node;
  const { hostname, port } = new URL(url);
  const body = JSON.stringify({ json: { username: "cut", password } });
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(
    `POST /trpc/auth.register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
  await once(socket, "close");
  // Signing in works, or the name is still free: nothing in between.
  await vi.waitFor(async () => {
    const signedIn = await call(url, "auth.login", { input: { username: "cut", password } });
    if (signedIn.reason === null) return;
    expect(signedIn.reason).toBe("INVALID_CREDENTIALS");
    expect((await call(url, "auth.register", { input: { username: "cut", password } })).reason).toBeNull();
  }, 20_000);
});
