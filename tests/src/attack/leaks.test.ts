/** What a process remembers of secrets when it is done with them, and what it tells: searched in its memory, its log, its metrics and its files. */
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { startNode } from "../support/node-process.ts";
import { rawRequest } from "../support/raw-request.ts";
import { kill } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { call, signUp, type Tokens, whoami } from "../support/wire.ts";
import { setupCode } from "./set-up.ts";

/** What a thread of the test's own keeps: what is in threads is found, too. */
const keptByThread = "keptByAThreadOfTheTestItself";

/**
 * Writes all strings that its memory holds to files, when it is told to: those of its own heap, and of each thread's, as passwords
 * are compared in threads. In no snapshot are the bytes of buffers, and what a native library copied. Writes down, too, what private
 * keys it makes.
 */
const dumpOnSignal = (folder: string) => `
  const { appendFileSync, createWriteStream } = process.getBuiltinModule("node:fs");
  const { pipeline } = process.getBuiltinModule("node:stream/promises");
  const threads = process.getBuiltinModule("node:worker_threads");
  const v8 = process.getBuiltinModule("node:v8");
  const folder = ${JSON.stringify(folder)};
  // Of longer strings only the beginning would be written.
  v8.setFlagsFromString("--heap-snapshot-string-limit=1000000");

  const workers = [];
  threads.Worker = class extends threads.Worker {
    constructor(...given) { super(...given); workers.push(this); }
  };
  process.getBuiltinModule("node:module").syncBuiltinESMExports();
  const keep = 'require("node:worker_threads").parentPort.on("message", (text) => { globalThis.kept = text; })';
  const own = new threads.Worker(keep, { eval: true, execArgv: [] });
  own.postMessage(${JSON.stringify(keptByThread)});
  own.unref();

  const { subtle } = globalThis.crypto;
  const exportKey = subtle.exportKey.bind(subtle);
  subtle.exportKey = async (...given) => {
    const key = await exportKey(...given);
    if (key.d !== undefined) appendFileSync(folder + "/private-keys", key.d + "\\n");
    return key;
  };

  process.on("SIGUSR2", async () => {
    v8.writeHeapSnapshot(folder + "/main.heapsnapshot");
    for (const [index, worker] of workers.entries())
      await pipeline(await worker.getHeapSnapshot(), createWriteStream(folder + "/thread-" + index + ".heapsnapshot"));
    process.stderr.write("dumped\\n");
  });`;

type Place = "log" | "metrics" | "database" | "memory" | "threads";
const told: readonly Place[] = ["log", "metrics", "database"];
const everywhere: readonly Place[] = [...told, "memory", "threads"];

/** Where a secret must not be, by what it is. */
const forbidden = {
  "a password": everywhere,
  "a refresh token": everywhere,
  // A node holds what it has proved of a token or a cookie, by its text, for as long as it is good.
  "a cookie": told,
  "an access token": told,
  // A node knows its own, and prints it for whoever starts it: this one prints nothing.
  "a set-up code": told,
  "a private key": told,
  "an address": ["log", "metrics"],
} satisfies Record<string, readonly Place[]>;
type Kind = keyof typeof forbidden;

/** Secrets, and what they are. */
function notebook() {
  const secrets = new Map<string, Kind>();
  const note = <Text extends string>(kind: Kind, secret: Text) => {
    secrets.set(secret, kind);
    return secret;
  };
  let made = 0;
  return {
    secrets,
    note,
    /** One that stands nowhere else: of letters and digits alone, so that it looks the same in JSON, in a form and in an address. */
    make(kind: Kind): string {
      made += 1;
      return note(kind, `canary${made}ofLettersAndDigitsAlone`);
    },
    noteTokens({ data }: { readonly data: unknown }): Tokens {
      const tokens = data as Tokens;
      note("an access token", tokens.accessToken);
      note("a refresh token", tokens.refreshToken);
      return tokens;
    },
    /** Returns the header that sends it. */
    noteCookie({ headers }: Response): { readonly cookie: string } {
      const cookie = headers.get("set-cookie")?.split(";")[0] ?? expect.fail("no cookie");
      note("a cookie", cookie.split("=").slice(1).join("="));
      return { cookie };
    },
  };
}
type Notebook = ReturnType<typeof notebook>;

function sendForm(
  url: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const body = new URLSearchParams(fields);
  return fetch(url, { method: "POST", redirect: "manual", headers: { origin: new URL(url).origin, ...headers }, body });
}

/** Sets the server up, and signs in and out, in every way there is, right and wrong. */
async function use(url: string, { note, make, noteTokens, noteCookie }: Notebook): Promise<void> {
  const wrong = () => make("a password");
  const code = note("a set-up code", await setupCode());
  const rootPassword = make("a password");
  const root = { username: "root", password: rootPassword };
  await sendForm(`${url}/setup`, { ...root, code: make("a set-up code") });
  await sendForm(`${url}/setup`, { ...root, code, password: "short" });
  noteCookie(await sendForm(`${url}/setup`, { ...root, code }));
  await sendForm(`${url}/setup`, { ...root, code });

  const address = make("an address");
  const email = `${address}@example.com`;
  const password = make("a password");
  const alice = noteTokens(await call(url, "auth.register", { input: { username: "alice", password, email } }));
  await call(url, "auth.login", { input: { username: "alice", password: wrong() } });
  await call(url, "auth.login", { input: { username: email, password: wrong() } });
  let tokens = noteTokens(await call(url, "auth.login", { input: { username: email, password } }));
  for (let time = 0; time < 3; time += 1)
    tokens = noteTokens(await call(url, "auth.refresh", { input: { refreshToken: tokens.refreshToken } }));
  await whoami(url, tokens);
  const newPassword = make("a password");
  const change = { currentPassword: password, newPassword };
  expect(await call(url, "auth.changePassword", { input: change, token: alice.accessToken })).toMatchObject({
    status: 200,
  });
  expect(await call(url, "auth.logout", { input: { refreshToken: alice.refreshToken } })).toMatchObject({
    status: 200,
  });

  const token = { username: "alice", password: newPassword };
  expect((await sendForm(`${url}/token`, token)).status).toBe(200);
  const signedIn = noteCookie(await sendForm(`${url}/sign-in`, token));
  expect((await fetch(`${url}/users/me`, { headers: signedIn })).status).toBe(200);
  await sendForm(`${url}/reauth`, { password: wrong() }, signedIn);
  noteCookie(await sendForm(`${url}/reauth`, { password: newPassword }, signedIn));

  const { accessToken } = noteTokens(await call(url, "auth.login", { input: root }));
  const { data: me } = await whoami(url, noteTokens(await call(url, "auth.login", { input: token })));
  const id = (me as { readonly accountId: string }).accountId;
  const given = await call(url, "users.setTemporaryPassword", { input: { id }, token: accessToken });
  const temporary = note("a password", (given.data as { readonly password: string }).password);
  noteTokens(await call(url, "auth.login", { input: { username: "alice", password: temporary } }));
  expect(await call(url, "admin.keys.rotate", { input: {}, token: accessToken })).toMatchObject({ status: 200 });
}

/** Sends passwords to where none belongs, and what is no request. */
async function misuse(url: string, { make, note }: Notebook): Promise<void> {
  const wrong = () => make("a password");
  const json = { "content-type": "application/json" };
  const post = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, { method: "POST", redirect: "manual", body, headers });
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, { redirect: "manual", headers });

  const statuses = [
    await post("/trpc/auth.login", `{"json":{"username":"alice","password":"${wrong()}"`, json),
    await post("/trpc/auth.login", `{"json":{"username":"alice","password":["${wrong()}"]}}`, json),
    await post("/trpc/auth.login", `{"json":{"username":"${wrong()}","password":"x"}}`, json),
    await post("/trpc/auth.login", `{"json":{"username":"alice","password":"x","code":"${wrong()}"}}`, json),
    await post("/trpc/auth.login", `{"json":{},"meta":{"values":{"${wrong()}":["${wrong()}"]}}}`, json),
    await post("/trpc/auth.login", `username=alice&password=${wrong()}`),
    await post("/trpc/auth.login", wrong().repeat(5_000), json),
    await post(
      "/trpc/auth.login,auth.login?batch=1",
      `{"0":{"json":{"username":"alice","password":"${wrong()}"}}}`,
      json,
    ),
    await post("/trpc/auth.refresh", `{"json":{"refreshToken":"v1.${wrong()}"}}`, json),
    await post("/token", `username=alice&password=${wrong()}&password=${wrong()}`, json),
    await sendForm(`${url}/token`, { username: "alice", pass: wrong() }),
    await sendForm(`${url}/token`, { grant_type: wrong(), password: wrong() }),
    await sendForm(`${url}/sign-in`, { username: wrong(), password: "x" }),
    await sendForm(`${url}/sign-up`, { username: "ally", password: wrong(), email: wrong() }),
    await sendForm(`${url}/sign-in`, { username: "alice", password: wrong() }, { origin: "https://evil.example" }),
    await get(`/trpc/auth.login?input={"json":{"username":"alice","password":"${wrong()}"}}`),
    await get(`/trpc/${wrong()}?input=${wrong()}`),
    await get(`/token?username=alice&password=${wrong()}`),
    await get(`/nope/${wrong()}`),
    await get(`/users/me?access_token=${wrong()}`),
    await get("/users/me", { authorization: `Basic ${note("a password", btoa(`alice:${wrong()}`))}` }),
    await get("/users/me", { authorization: `Bearer ${wrong()}` }),
    await get("/users/me", { cookie: `countersign=${wrong()}` }),
    await get("/trpc/whoami", { authorization: `Bearer ${wrong()}.${wrong()}.${wrong()}` }),
  ].map(({ status }) => status);
  // 207 is a batch of two that are refused for different reasons.
  expect(statuses.filter((status) => status < 207 || status >= 500)).toEqual([]);
  for (const lines of [[`HELLO ${wrong()}`], [`GET /users/me HTTP/1.1`, `authorization: ${wrong()}\0`]])
    expect((await rawRequest(url, lines)).status).toBe(400);
}

it("nothing secret is in memory when it is over, nor in the log, the metrics or the database", {
  timeout: 120_000,
}, async () => {
  await using folder = await temporaryFolder();
  const { child, server } = startNode(`file:${folder.file("auth.db")}`, {
    env: {
      LOG_LEVEL: "trace",
      COUNTERSIGN_ISSUER: "http://localhost",
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(dumpOnSignal(folder.path))}`,
    },
  });
  try {
    const node = await server;
    const { url } = node;
    const notes = notebook();
    await use(url, notes);
    await misuse(url, notes);
    // Others come, and what was read into a buffer is overwritten.
    const bob = await signUp(url, "bob");
    for (let time = 0; time < 200; time += 1) await whoami(url, bob);

    const metrics = await (await fetch(`${url}/metrics`)).text();
    child.kill("SIGUSR2");
    while (!node.output().includes("dumped\n")) await once(child.stderr, "data");
    const textOf = (isOfIt: (name: string) => boolean) =>
      readdirSync(folder.path)
        .filter(isOfIt)
        .map((name) => readFileSync(folder.file(name), "latin1"))
        .join("\n");
    const places: Record<Place, string> = {
      log: node.output(),
      metrics,
      database: textOf((name) => name.startsWith("auth.db")),
      memory: textOf((name) => name === "main.heapsnapshot"),
      threads: textOf((name) => name.startsWith("thread-")),
    };
    const privateKeys = textOf((name) => name === "private-keys")
      .trim()
      .split("\n");
    for (const key of privateKeys) notes.note("a private key", key);

    // Whatever else were there would be found, too.
    expect(places.log).toContain('"procedures":["auth.login"]');
    expect(places.metrics).toContain('route="/trpc/auth.login",status="401"');
    expect(places.database).toContain("alice");
    expect(places.memory).toContain(bob.accessToken);
    expect(places.threads).toContain(keptByThread);
    expect(readdirSync(folder.path).filter((name) => name.startsWith("thread-")).length).toBeGreaterThan(1);
    expect(privateKeys).toHaveLength(2);

    const found = [...notes.secrets].flatMap(([secret, kind]) =>
      forbidden[kind]
        .filter((place) => places[place].includes(secret))
        .map((place) => `${kind} is in the ${place}: ${secret.slice(0, 24)}`),
    );
    expect(found).toEqual([]);
  } finally {
    await kill(child);
  }
});
