/** What bad input gets: a typed error with the right status, in words for people. Never a 500, never a stack, nothing lost. */
import { once } from "node:events";
import { connect } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createApp } from "@countersign/server";
import { createTestAuth } from "@countersign/server/testing";
import { type Reason, reasons } from "@countersign/shared";
import type { SignedIn } from "@countersign/shared/schemas";
import { SignJWT } from "jose";
import { afterAll, describe, expect, it } from "vitest";
import { administrator, signIn, signUp } from "../support/people.ts";
import { rawRequest } from "../support/raw-request.ts";
import { password, testApp } from "../support/test-app.ts";
import { unlimited } from "../support/unlimited.ts";

/** What the server logged as an error of its own. */
const failures: string[] = [];
const app = await testApp({
  log: {
    debug() {},
    info() {},
    warn: (_, message) => void failures.push(message),
    error: (_, message) => void failures.push(message),
  },
  limits: unlimited,
});
const alice: SignedIn = await signUp(app);
await (await administrator(app)).create({ username: "boss", password, roles: ["admin"] });
const boss: SignedIn = await signIn(app, "boss");
const loopDelay = monitorEventLoopDelay({ resolution: 10 });
loopDelay.enable();
afterAll(() => app[Symbol.asyncDispose]());

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

type Row = readonly [what: string, path: string, sent: Sent, status: number, reason: Reason];

const json = { "content-type": "application/json" };
const form = { "content-type": "application/x-www-form-urlencoded" };
const bearer = { authorization: `Bearer ${alice.accessToken}` };
const bossy = { authorization: `Bearer ${boss.accessToken}` };
/** Planted in inputs: no reply may repeat it. */
const marker = "marker4711";

const post = (body: unknown, headers: Record<string, string> = json): Sent => ({
  method: "POST",
  headers,
  body: typeof body === "string" ? body : JSON.stringify(body),
});
const login = (input: unknown, meta?: unknown) => post({ json: input, ...(meta === undefined ? {} : { meta }) });
const write = (input: unknown, meta?: unknown) => ({
  ...login(input, meta),
  headers: { ...json, ...bearer },
});
const token = (fields: Record<string, string> | string) =>
  post(typeof fields === "string" ? fields : new URLSearchParams(fields).toString(), form);
const get = (headers: Record<string, string>): Sent => ({ headers });

const good = { username: "alice", password };
const asBoss = (input: unknown) => ({ ...login(input), headers: { ...json, ...bossy } });
const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

const bodies: readonly Row[] = [
  ["a body that is not JSON", "/trpc/auth.login", post("{"), 400, "BAD_REQUEST"],
  ["an empty body", "/trpc/auth.login", post(""), 400, "BAD_REQUEST"],
  ["null", "/trpc/auth.login", post("null"), 400, "BAD_REQUEST"],
  ["an array", "/trpc/auth.login", post([]), 400, "BAD_REQUEST"],
  ["a bare input without the envelope", "/trpc/auth.login", post(good), 400, "BAD_REQUEST"],
  ["input of a wrong type", "/trpc/auth.login", login("alice"), 400, "BAD_REQUEST"],
  ["fields of wrong types", "/trpc/auth.login", login({ username: 1, password: true }), 400, "BAD_REQUEST"],
  ["a missing field", "/trpc/auth.login", login({ username: "alice" }), 400, "BAD_REQUEST"],
  ["an unknown field", "/trpc/auth.login", login({ ...good, admin: true }), 400, "BAD_REQUEST"],
  [
    "an unknown field named __proto__",
    "/trpc/auth.login",
    post(`{"json":{"username":"alice","password":"x","__proto__":{"a":1}}}`),
    400,
    "BAD_REQUEST",
  ],
  ["an empty username", "/trpc/auth.login", login({ ...good, username: "" }), 400, "BAD_REQUEST"],
  ["a long username", "/trpc/auth.login", login({ ...good, username: "a".repeat(255) }), 400, "BAD_REQUEST"],
  ["a username with NUL", "/trpc/auth.login", login({ ...good, username: "alice\0" }), 401, "INVALID_CREDENTIALS"],
  [
    "a username with a lone surrogate",
    "/trpc/auth.login",
    login({ ...good, username: "alice\uD800" }),
    401,
    "INVALID_CREDENTIALS",
  ],
  ["a password with a lone surrogate", "/trpc/auth.login", login({ ...good, password: "\uDC00" }), 400, "BAD_REQUEST"],
  [
    "a password with NUL",
    "/trpc/auth.login",
    login({ ...good, password: `${password}\0` }),
    401,
    "INVALID_CREDENTIALS",
  ],
  [
    "a password of 1,025 characters",
    "/trpc/auth.login",
    login({ ...good, password: "x".repeat(1_025) }),
    400,
    "BAD_REQUEST",
  ],
  ["a password of 1 MB", "/trpc/auth.login", login({ ...good, password: "x".repeat(1_000_000) }), 413, "BAD_REQUEST"],
  ["a password of 1 MB in a form", "/token", token({ ...good, password: "x".repeat(1_000_000) }), 413, "BAD_REQUEST"],
  ["a malformed scope", "/trpc/auth.login", login({ ...good, scope: 'a"b' }), 400, "BAD_REQUEST"],
  ["an unknown scope", "/trpc/auth.login", login({ ...good, scope: "notes:fly" }), 400, "BAD_REQUEST"],
  ["a new username with NUL", "/trpc/auth.register", login({ ...good, username: "bob\0" }), 400, "BAD_REQUEST"],
  [
    "a new username with a lone surrogate",
    "/trpc/auth.register",
    login({ ...good, username: "bob\uD800" }),
    400,
    "BAD_REQUEST",
  ],
  [
    "a new username that looks like an e-mail address",
    "/trpc/auth.register",
    login({ ...good, username: "bob@example.com" }),
    400,
    "BAD_REQUEST",
  ],
  [
    "an e-mail address that is none",
    "/trpc/auth.register",
    login({ ...good, username: "bob", email: "nobody" }),
    400,
    "BAD_REQUEST",
  ],
  ["nesting of 100,000 levels as input", "/trpc/auth.login", post(`{"json":${deep(45_000)}}`), 400, "BAD_REQUEST"],
  [
    "bytes that are not UTF-8",
    "/trpc/auth.login",
    { method: "POST", headers: json, body: Uint8Array.of(0xff, 0xfe) },
    400,
    "BAD_REQUEST",
  ],
  ["a refresh token that is none", "/trpc/auth.refresh", login({ refreshToken: "x" }), 401, "TOKEN_INVALID"],
  [
    "a refresh token that is too long",
    "/trpc/auth.refresh",
    login({ refreshToken: "x".repeat(513) }),
    400,
    "BAD_REQUEST",
  ],
  [
    "an access token as refresh token",
    "/trpc/auth.refresh",
    login({ refreshToken: alice.accessToken.slice(0, 500) }),
    401,
    "TOKEN_INVALID",
  ],
  ["signing out without saying who", "/trpc/auth.logout", login({}), 401, "TOKEN_MISSING"],
  ["JSON that breaks off", "/trpc/auth.login", post(`{"json":{"username":"${marker}`), 400, "BAD_REQUEST"],
  [
    "values in wrong places",
    "/trpc/auth.login",
    login({ username: [marker], password: { marker } }),
    400,
    "BAD_REQUEST",
  ],
  [
    "9,000 unknown fields",
    "/trpc/auth.login",
    login(Object.fromEntries(Array.from({ length: 9_000 }, (_, index) => [`k${index}`, 1]))),
    400,
    "BAD_REQUEST",
  ],
  [
    "20,000 wrong members",
    "/trpc/users.setRoles",
    asBoss({ id: "x", roles: Array.from({ length: 20_000 }, () => 1) }),
    400,
    "BAD_REQUEST",
  ],
  ["a role that nobody declared", "/trpc/users.setRoles", asBoss({ id: "x", roles: [marker] }), 400, "BAD_REQUEST"],
  ["an id that is none", "/trpc/users.disable", asBoss({ id: marker }), 404, "NOT_FOUND"],
  ["a session's id that is none", "/trpc/users.sessions.revoke", asBoss({ id: marker }), 400, "BAD_REQUEST"],
];

/** Every field that takes text, with what it gets for a NUL and for a lone surrogate; `null` where the text is taken. */
const texts: readonly (readonly [path: string, input: (text: string) => unknown, nul: Answer, surrogate: Answer])[] = [
  ["auth.login", (text) => ({ ...good, username: text }), "INVALID_CREDENTIALS", "INVALID_CREDENTIALS"],
  ["auth.login", (text) => ({ ...good, password: text }), "INVALID_CREDENTIALS", "BAD_REQUEST"],
  ["auth.login", (text) => ({ ...good, scope: text }), "BAD_REQUEST", "BAD_REQUEST"],
  ["auth.register", (text) => ({ username: text, password }), "BAD_REQUEST", "BAD_REQUEST"],
  [
    "auth.register",
    (text) => ({ username: "nora", password, email: `${text}@example.com` }),
    "BAD_REQUEST",
    "BAD_REQUEST",
  ],
  ["auth.register", (text) => ({ username: "nora", password: text }), null, "BAD_REQUEST"],
  ["auth.refresh", (text) => ({ refreshToken: text }), "TOKEN_INVALID", "TOKEN_INVALID"],
  ["auth.logout", (text) => ({ refreshToken: text }), "TOKEN_INVALID", "TOKEN_INVALID"],
  [
    "auth.changePassword",
    (text) => ({ currentPassword: text, newPassword: password }),
    "INVALID_CREDENTIALS",
    "BAD_REQUEST",
  ],
  ["auth.sessions.revoke", (text) => ({ id: text }), "BAD_REQUEST", "BAD_REQUEST"],
  ["users.create", (text) => ({ username: text, password }), "BAD_REQUEST", "BAD_REQUEST"],
  ["users.create", (text) => ({ username: "nick", password, email: text }), "BAD_REQUEST", "BAD_REQUEST"],
  ["users.create", (text) => ({ username: "nick", password, roles: [text] }), "BAD_REQUEST", "BAD_REQUEST"],
  ["users.create", (text) => ({ username: "nick", password: text }), null, "BAD_REQUEST"],
  ["users.setRoles", (text) => ({ id: text, roles: [] }), "NOT_FOUND", "NOT_FOUND"],
  ["users.setRoles", (text) => ({ id: "x", roles: [text] }), "BAD_REQUEST", "BAD_REQUEST"],
  ["users.setPassword", (text) => ({ id: text, password }), "NOT_FOUND", "NOT_FOUND"],
  ["users.setPassword", (text) => ({ id: "x", password: text }), "NOT_FOUND", "BAD_REQUEST"],
  ["users.disable", (text) => ({ id: text }), "NOT_FOUND", "NOT_FOUND"],
  ["users.enable", (text) => ({ id: text }), "NOT_FOUND", "NOT_FOUND"],
  ["users.remove", (text) => ({ id: text }), "NOT_FOUND", "NOT_FOUND"],
  ["users.sessions.revoke", (text) => ({ id: text }), "BAD_REQUEST", "BAD_REQUEST"],
  ["users.sessions.list", (text) => ({ id: text }), null, null],
  ["users.get", (text) => ({ id: text }), "NOT_FOUND", "NOT_FOUND"],
  ["users.list", (text) => ({ search: text }), null, null],
  ["users.list", (text) => ({ cursor: text }), null, null],
  ["write", (text) => ({ text }), null, null],
];
type Answer = Reason | null;
const queries = new Set(["users.sessions.list", "users.get", "users.list"]);

const at = { text: "x", at: "2026-01-01T00:00:00Z" };
const metadata: readonly Row[] = [
  ["a RegExp", "/trpc/write", write({ text: "/(a+)+$/" }, { values: { text: ["regexp"] } }), 400, "BAD_REQUEST"],
  [
    "an Error",
    "/trpc/write",
    write({ text: { name: "x", message: "y" } }, { values: { text: ["Error"] } }),
    400,
    "BAD_REQUEST",
  ],
  ["a URL", "/trpc/write", write({ text: "http://x" }, { values: { text: ["URL"] } }), 400, "BAD_REQUEST"],
  ["a class", "/trpc/write", write({ text: {} }, { values: { text: [["class", "User"]] } }), 400, "BAD_REQUEST"],
  ["a symbol", "/trpc/write", write({ text: "x" }, { values: { text: [["symbol", "x"]] } }), 400, "BAD_REQUEST"],
  ["a custom type", "/trpc/write", write({ text: "x" }, { values: { text: [["custom", "x"]] } }), 400, "BAD_REQUEST"],
  [
    "a typed array",
    "/trpc/write",
    write({ text: [1] }, { values: { text: [["typed-array", "Uint8Array"]] } }),
    400,
    "BAD_REQUEST",
  ],
  ["NaN", "/trpc/write", write({ text: "NaN" }, { values: { text: ["number"] } }), 400, "BAD_REQUEST"],
  [
    "a path through __proto__",
    "/trpc/write",
    write({ text: "x" }, { values: { "__proto__.polluted": ["Date"] }, v: 1 }),
    400,
    "BAD_REQUEST",
  ],
  [
    "a path through constructor",
    "/trpc/write",
    write({ text: "x" }, { values: { "constructor.prototype.polluted": ["Date"] } }),
    400,
    "BAD_REQUEST",
  ],
  [
    "a date that is none",
    "/trpc/write",
    write({ ...at, at: "yesterday" }, { values: { at: ["Date"] } }),
    400,
    "BAD_REQUEST",
  ],
  ["a bigint that is none", "/trpc/write", write({ text: "x1" }, { values: { text: ["bigint"] } }), 400, "BAD_REQUEST"],
  ["a map of a wrong shape", "/trpc/write", write({ text: "x" }, { values: { text: ["map"] } }), 400, "BAD_REQUEST"],
  ["a set of a wrong shape", "/trpc/write", write({ text: 1 }, { values: { text: ["set"] } }), 400, "BAD_REQUEST"],
  ["meta that is a number", "/trpc/write", write({ text: "x" }, 7), 400, "BAD_REQUEST"],
  ["values that are a text", "/trpc/write", write({ text: "x" }, { values: "Date" }), 400, "BAD_REQUEST"],
  ["values that are null", "/trpc/write", write({ text: "x" }, { values: null }), 400, "BAD_REQUEST"],
  [
    "too many annotations",
    "/trpc/write",
    write(
      { text: "x" },
      { values: Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`k${index}`, ["Date"]])) },
    ),
    400,
    "BAD_REQUEST",
  ],
  [
    "annotations too deep",
    "/trpc/write",
    write({ text: "x" }, { values: JSON.parse(`${'["map",{"0":'.repeat(40)}["Date"]${"}]".repeat(40)}`) }),
    400,
    "BAD_REQUEST",
  ],
];

const many = (count: number, make: (index: number) => readonly [string, unknown]) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => make(index)));
/** Metadata that costs much to follow, or leads where nothing of ours is. */
const bombs: readonly Row[] = [
  [
    "a bigint of 90,000 digits",
    "/trpc/write",
    write({ text: "9".repeat(90_000) }, { values: { text: ["bigint"] } }),
    400,
    "BAD_REQUEST",
  ],
  [
    "a date of 90,000 digits",
    "/trpc/write",
    write({ ...at, at: "9".repeat(90_000) }, { values: { at: ["Date"] } }),
    400,
    "BAD_REQUEST",
  ],
  ["a date out of range", "/trpc/write", write({ ...at, at: 1e300 }, { values: { at: ["Date"] } }), 400, "BAD_REQUEST"],
  [
    "a bigint that is a fraction",
    "/trpc/write",
    write({ text: 1.5 }, { values: { text: ["bigint"] } }),
    400,
    "BAD_REQUEST",
  ],
  ["a map of single values", "/trpc/write", write({ text: [1, 2] }, { values: { text: ["map"] } }), 400, "BAD_REQUEST"],
  [
    "900 annotations in a map of 9,000",
    "/trpc/write",
    write(
      Array.from({ length: 9_000 }, (_, index) => [index, 0]),
      { values: ["map", many(900, (index) => [`${8_999 - index}.1`, ["Date"]])] },
    ),
    400,
    "BAD_REQUEST",
  ],
  [
    "a million shared references",
    "/trpc/write",
    write(
      { text: { a: 1 } },
      { referentialEqualities: { text: Array.from({ length: 20_000 }, () => "a") }, values: {} },
    ),
    400,
    "BAD_REQUEST",
  ],
  [
    "a shared reference to __proto__",
    "/trpc/write",
    write({ text: 1 }, { referentialEqualities: { text: ["__proto__.polluted"] } }),
    400,
    "BAD_REQUEST",
  ],
  [
    "metadata nested 45,000 deep",
    "/trpc/write",
    { ...write(null), body: `{"json":1,"meta":{"values":${deep(45_000)}}}` },
    400,
    "BAD_REQUEST",
  ],
  [
    "annotations nested 15,000 deep",
    "/trpc/write",
    { ...write(null), body: `{"json":1,"meta":{"values":${'{"a":'.repeat(15_000)}1${"}".repeat(15_000)}}}` },
    400,
    "BAD_REQUEST",
  ],
  [
    "objects nested 15,000 deep",
    "/trpc/write",
    { ...write(null), body: `{"json":${'{"a":'.repeat(15_000)}1${"}".repeat(15_000)}}` },
    400,
    "BAD_REQUEST",
  ],
  [
    "a path with a broken escape",
    "/trpc/write",
    write({ text: "x" }, { values: { "a\\b": ["Date"] }, v: 1 }),
    400,
    "BAD_REQUEST",
  ],
  [
    "a path through an array's prototype",
    "/trpc/write",
    write({ text: [] }, { values: { "text.constructor": ["Date"] } }),
    400,
    "BAD_REQUEST",
  ],
  ["a type that is no text", "/trpc/write", write({ text: "x" }, { values: { text: [7] } }), 400, "BAD_REQUEST"],
  [
    "a type of every object",
    "/trpc/write",
    write({ text: "x" }, { values: { text: ["constructor"] } }),
    400,
    "BAD_REQUEST",
  ],
  ["meta that is an array", "/trpc/write", write({ text: "x" }, [["Date"]]), 400, "BAD_REQUEST"],
  ["meta that is null", "/trpc/write", write({ text: "x" }, null), 400, "BAD_REQUEST"],
];

const batch = (size: number, path = "whoami") => `/trpc/${Array(size).fill(path).join(",")}?batch=1`;
const routes: readonly Row[] = [
  ["a batch of 11", batch(11), get(bearer), 400, "BAD_REQUEST"],
  ["a batch of 1,000", batch(1_000, "ping"), get({}), 400, "BAD_REQUEST"],
  ["a batch of 11 mutations", batch(11, "auth.login"), post({}), 400, "BAD_REQUEST"],
  ["a batch of queries and mutations", "/trpc/ping,auth.login?batch=1", get({}), 400, "BAD_REQUEST"],
  ["a batch of nothing", "/trpc/,,?batch=1", post({}), 404, "NOT_FOUND"],
  ["a batch with a member that is null", "/trpc/auth.login,auth.login?batch=1", post({ 0: null }), 400, "BAD_REQUEST"],
  ["a batch that does not say so", "/trpc/ping,ping", get({}), 404, "NOT_FOUND"],
  ["a stream of no batch", "/trpc/whoami", get({ "trpc-accept": "application/jsonl" }), 400, "BAD_REQUEST"],
  ["connection parameters that are no JSON", `/trpc/ping?connectionParams=${marker}`, get({}), 400, "BAD_REQUEST"],
  [
    "connection parameters of wrong types",
    "/trpc/ping?connectionParams=%7B%22a%22%3A1%7D",
    get({}),
    400,
    "BAD_REQUEST",
  ],
  ["an unknown procedure with a secret in it", `/trpc/${marker}`, get({}), 404, "NOT_FOUND"],
  ["a NUL in the path", `/trpc/${marker}%00`, get({}), 404, "NOT_FOUND"],
  ["a malformed path with a secret in it", `/trpc/${marker}%E0%A4%A`, get({}), 400, "BAD_REQUEST"],
  ["a malformed path elsewhere", "/%E0%A4%A", get({}), 404, "NOT_FOUND"],
  ["a path of 8,000 characters", `/${"x".repeat(8_000)}`, get({}), 404, "NOT_FOUND"],
  ["no procedure at all", "/trpc/", get({}), 404, "NOT_FOUND"],
  ["OPTIONS", "/trpc/auth.login", { method: "OPTIONS", headers: json }, 405, "BAD_REQUEST"],
  ["PUT of nothing", "/trpc/auth.login", { method: "PUT" }, 415, "BAD_REQUEST"],
  ["multipart on GET", "/trpc/ping", get({ "content-type": "multipart/form-data; boundary=x" }), 405, "BAD_REQUEST"],
  [
    "a media type with a secret in it",
    "/trpc/auth.login",
    post("x", { "content-type": `text/plain; ${marker}=1` }),
    415,
    "BAD_REQUEST",
  ],
  [
    "a method that is overridden in the address",
    "/trpc/whoami?_method=GET&method=GET",
    { ...write(null), headers: { ...json, ...bearer, "x-http-method": "GET", "x-method-override": "GET" } },
    405,
    "BAD_REQUEST",
  ],
  ["input that is not JSON, from who may", "/trpc/users.get?input=%7B", get(bossy), 400, "BAD_REQUEST"],
  [
    "a limit that is a text",
    "/trpc/users.list?input=%7B%22json%22%3A%7B%22limit%22%3A%225%22%7D%7D",
    get(bossy),
    400,
    "BAD_REQUEST",
  ],
  ["a batch whose body is no object", "/trpc/auth.login,auth.login?batch=1", post("[]"), 400, "BAD_REQUEST"],
  ["an unknown procedure", "/trpc/auth.fly", post({ json: null }), 404, "NOT_FOUND"],
  ["a procedure named __proto__", "/trpc/__proto__", get({}), 404, "NOT_FOUND"],
  ["a procedure named constructor.name", "/trpc/constructor.name", get({}), 404, "NOT_FOUND"],
  ["a malformed path", "/trpc/%E0%A4%A", get({}), 400, "BAD_REQUEST"],
  ["GET of a mutation", "/trpc/auth.login", get({}), 405, "BAD_REQUEST"],
  [
    "GET of a mutation with its input",
    `/trpc/auth.login?input=${encodeURIComponent(JSON.stringify({ json: good }))}`,
    get({}),
    405,
    "BAD_REQUEST",
  ],
  ["POST of a query", "/trpc/whoami", write(null), 405, "BAD_REQUEST"],
  ["PUT", "/trpc/auth.login", { ...login(good), method: "PUT" }, 405, "BAD_REQUEST"],
  ["PATCH", "/trpc/auth.login", { ...login(good), method: "PATCH" }, 405, "BAD_REQUEST"],
  ["DELETE", "/trpc/auth.login", { ...login(good), method: "DELETE" }, 405, "BAD_REQUEST"],
  [
    "a method that is overridden",
    "/trpc/whoami",
    { ...write(null), headers: { ...json, ...bearer, "x-http-method-override": "GET" } },
    405,
    "BAD_REQUEST",
  ],
  [
    "multipart",
    "/trpc/auth.login",
    post("--x\r\n\r\n--x--", { "content-type": "multipart/form-data; boundary=x" }),
    415,
    "BAD_REQUEST",
  ],
  ["a form to a procedure", "/trpc/auth.login", post("a=b", form), 415, "BAD_REQUEST"],
  [
    "plain text to a procedure",
    "/trpc/auth.login",
    post(JSON.stringify({ json: good }), { "content-type": "text/plain" }),
    415,
    "BAD_REQUEST",
  ],
  [
    "bytes to a procedure",
    "/trpc/auth.login",
    post("x", { "content-type": "application/octet-stream" }),
    415,
    "BAD_REQUEST",
  ],
  ["input that is not JSON in the address", "/trpc/users.get?input=%7B", get(bearer), 403, "INSUFFICIENT_ROLE"],
  ["a page that is none", "/nope", get({}), 404, "NOT_FOUND"],
  ["a path that climbs", "/docs/..%2f..%2fpackage.json", get({}), 404, "NOT_FOUND"],
  ["POST to /users/me", "/users/me", post("", bearer), 405, "BAD_REQUEST"],
  ["DELETE of /users/me", "/users/me", { method: "DELETE", headers: bearer }, 405, "BAD_REQUEST"],
  ["GET of /token", "/token", get({}), 405, "BAD_REQUEST"],
  ["OPTIONS of /token", "/token", { method: "OPTIONS" }, 405, "BAD_REQUEST"],
  ["PUT to /healthz", "/healthz", { method: "PUT" }, 405, "BAD_REQUEST"],
  ["POST to a page that is none", "/nope", post(good), 404, "NOT_FOUND"],
  ["JSON to /token", "/token", post(good), 400, "BAD_REQUEST"],
  ["nothing to /token", "/token", token(""), 400, "BAD_REQUEST"],
  ["no media type to /token", "/token", { method: "POST" }, 400, "BAD_REQUEST"],
  [
    "multipart to /token",
    "/token",
    post("--x--", { "content-type": "multipart/form-data; boundary=x" }),
    400,
    "BAD_REQUEST",
  ],
  ["a missing password to /token", "/token", token({ username: marker }), 400, "BAD_REQUEST"],
  ["a wrong password to /token", "/token", token({ ...good, password: marker }), 400, "INVALID_CREDENTIALS"],
  ["a missing refresh token to /token", "/token", token({ grant_type: "refresh_token" }), 400, "BAD_REQUEST"],
  [
    "a long refresh token to /token",
    "/token",
    token({ grant_type: "refresh_token", refresh_token: "x".repeat(600) }),
    400,
    "BAD_REQUEST",
  ],
  ["a grant with a secret in it to /token", "/token", token({ ...good, grant_type: marker }), 400, "BAD_REQUEST"],
  ["an unknown scope to /token", "/token", token({ ...good, scope: marker }), 400, "BAD_REQUEST"],
  ["fields named __proto__ to /token", "/token", token("__proto__=x&username=alice"), 400, "BAD_REQUEST"],
  ["credentials in the address of /token", `/token?username=alice&password=${marker}`, token(""), 400, "BAD_REQUEST"],
  [
    "a client's credentials, and no one else's, to /token",
    "/token",
    post("grant_type=password", { ...form, authorization: `Basic ${btoa(`${marker}:${marker}`)}` }),
    400,
    "BAD_REQUEST",
  ],
  ["a parameter twice to /token", "/token", token("username=a&username=b&password=c"), 400, "BAD_REQUEST"],
  ["an unknown grant to /token", "/token", token({ ...good, grant_type: "implicit" }), 400, "BAD_REQUEST"],
  ["broken percent signs to /token", "/token", token("username=%zz&password=%"), 400, "INVALID_CREDENTIALS"],
  ["a malformed scope to /token", "/token", token({ ...good, scope: "a  b" }), 400, "BAD_REQUEST"],
  [
    "a refresh token that is none to /token",
    "/token",
    token({ grant_type: "refresh_token", refresh_token: "\0" }),
    400,
    "TOKEN_INVALID",
  ],
];

const [header = "", payload = "", signature = ""] = alice.accessToken.split(".");
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (segment: string) => JSON.parse(Buffer.from(segment, "base64url").toString());
const foreign = await new SignJWT(decode(payload)).setProtectedHeader(decode(header)).sign(await foreignKey());

async function foreignKey(): Promise<CryptoKey> {
  const { privateKey } = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
  return privateKey;
}

const tokens: readonly (readonly [what: string, authorization: string, reason: Reason])[] = [
  ["nothing", "", "TOKEN_MISSING"],
  ["another scheme", "Basic YWxpY2U6eA==", "TOKEN_MISSING"],
  ["Bearer alone", "Bearer", "TOKEN_INVALID"],
  ["a scheme of our own", "Countersign x", "TOKEN_MISSING"],
  ["a scheme that begins alike", `Bearers ${alice.accessToken}`, "TOKEN_MISSING"],
  ["a colon after Bearer", `Bearer: ${alice.accessToken}`, "TOKEN_MISSING"],
  ["a token without its scheme", alice.accessToken, "TOKEN_MISSING"],
  ["a token in quotes", `Bearer "${alice.accessToken}"`, "TOKEN_INVALID"],
  ["a token with a parameter", `Bearer token=${alice.accessToken}`, "TOKEN_INVALID"],
  ["a token after a tab", `Bearer \t${alice.accessToken}`, "TOKEN_INVALID"],
  ["a secret that is no token", `Bearer ${marker}`, "TOKEN_INVALID"],
  ["garbage", "Bearer garbage", "TOKEN_INVALID"],
  ["two tokens", `Bearer ${alice.accessToken} ${alice.accessToken}`, "TOKEN_INVALID"],
  ["two headers' worth", `Bearer ${alice.accessToken}, Bearer ${alice.accessToken}`, "TOKEN_INVALID"],
  [
    "a token of an unknown key",
    `Bearer ${encode({ ...decode(header), kid: "x" })}.${payload}.${signature}`,
    "TOKEN_INVALID",
  ],
  ["a token of a foreign key", `Bearer ${foreign}`, "TOKEN_INVALID"],
  ["alg none", `Bearer ${encode({ ...decode(header), alg: "none" })}.${payload}.`, "TOKEN_INVALID"],
  ["an unsigned token", `Bearer ${header}.${payload}.`, "TOKEN_INVALID"],
  [
    "a changed payload",
    `Bearer ${header}.${encode({ ...decode(payload), roles: ["admin"] })}.${signature}`,
    "TOKEN_INVALID",
  ],
  ["a padded signature", `Bearer ${alice.accessToken}==`, "TOKEN_INVALID"],
  [
    "a signature that is spelt otherwise",
    `Bearer ${header}.${payload}.${signature.slice(0, -1)}${signature.endsWith("Q") ? "R" : "Q"}`,
    "TOKEN_INVALID",
  ],
  ["a refresh token", `Bearer ${alice.refreshToken}`, "TOKEN_INVALID"],
  ["a token of 9 KB", `Bearer ${header}.${"A".repeat(9_000)}.${signature}`, "TOKEN_INVALID"],
];

describe.each([
  ["bodies", bodies],
  ["superjson metadata", metadata],
  ["costly metadata", bombs],
  ["routes and methods", routes],
])("%s", (_, rows) => {
  it.each(rows)("%s gets its error", async (_, path, sent, status, reason) => {
    expectError(await received(app.request(path, sent as RequestInit)), { status, reason });
    await expectSignIn();
  });
});

describe.each([
  ["a NUL", "\0", 2],
  ["a lone surrogate", "\uD800", 3],
] as const)("%s in a text", (_, character, column) => {
  it.each(texts.map((row) => [row[0], Object.keys(row[1]("") as object).join(", "), row] as const))(
    "of %s { %s }",
    async (path, _, row) => {
      const input = row[1](`${marker}${character} and more`);
      const query = `?input=${encodeURIComponent(JSON.stringify({ json: input }))}`;
      const reply = await received(
        queries.has(path) ? app.request(`/trpc/${path}${query}`, get(bossy)) : app.call(path, { json: input }, bossy),
      );
      const reason = row[column];
      if (reason === null) expect(reply.status, reply.body).toBe(200);
      else expectError(reply, { status: reasons[reason].status, reason });
    },
  );
});

describe.each(tokens)("%s as authorization", (_, authorization, reason) => {
  it.each(["/users/me", "/trpc/whoami"])("is refused at %s", async (path) => {
    const reply = await received(app.request(path, get(authorization === "" ? {} : { authorization })));
    expectError(reply, { status: 401, reason });
    expect(reply.headers).toMatch(
      reason === "TOKEN_MISSING" ? /^www-authenticate,Bearer$/m : /^www-authenticate,Bearer error="invalid_token"$/m,
    );
  });
});

it("an expired token is refused as such, everywhere", async () => {
  await using app = await testApp();
  const { accessToken } = await signUp(app);
  await app.clock.advance({ minutes: 16 });
  for (const path of ["/users/me", "/trpc/whoami"]) {
    const reply = await received(app.request(path, get({ authorization: `Bearer ${accessToken}` })));
    expectError(reply, { status: 401, reason: "TOKEN_EXPIRED" });
  }
});

it("a body that is as long as may be is read, and of two lengths that are told the shorter is not believed", async () => {
  await using test = await createTestAuth();
  const hono = createApp(test.auth);
  const send = async (body: string, headers: Record<string, string> = {}) =>
    (await hono.request("/token", { method: "POST", headers: { ...form, ...headers }, body })).status;
  const most = 100 * 1_024;
  const of = (length: number) => "username=a&password=".padEnd(length, "x");
  for (const headers of [{}, { "content-length": `${most}` }]) {
    expect(await send(of(most), headers)).toBe(400);
  }
  expect(await send(of(most + 1))).toBe(413);
  expect(await send(of(most + 1), { "content-length": `${most + 1}` })).toBe(413);
  // Node refuses it before; servers of other runtimes may read by chunks.
  expect(await send(of(most + 1), { "content-length": "10", "transfer-encoding": "chunked" })).toBe(413);
});

it("a batch with holes answers each of its calls", async () => {
  const body = { 0: { json: good }, 2: { json: { ...good, password: marker } } };
  const reply = await app.call("auth.login,auth.login,auth.login?batch=1", body);
  expect(reply.status).toBe(207);
  const answers = (await reply.json()) as { error?: { json: { data: { reason: Reason } } } }[];
  expect(answers.map(({ error }) => error?.json.data.reason ?? "signed in")).toEqual([
    "signed in",
    "BAD_REQUEST",
    "INVALID_CREDENTIALS",
  ]);
});

it("HEAD says nothing", async () => {
  for (const path of ["/trpc/auth.login", "/trpc/nope", "/users/me", "/token", "/nope"]) {
    const reply = await app.request(path, { method: "HEAD" });
    expect(reply.status, path).toBeLessThan(500);
    expect(await reply.text()).toBe("");
  }
});

it("another method is told which ones there are", async () => {
  const allowed = async (path: string, method: string) => (await app.request(path, { method })).headers.get("allow");
  expect(await allowed("/users/me", "POST")).toBe("GET, HEAD");
  expect(await allowed("/token", "GET")).toBe("POST");
  expect(await allowed("/trpc/auth.login", "GET")).toBe("POST");
});

describe("what fetch refuses to send", () => {
  const authorization = `authorization: Bearer ${alice.accessToken}`;
  const loginLines = ["POST /trpc/auth.login HTTP/1.1", "content-type: application/json"];
  const tokenLines = ["POST /token HTTP/1.1", "content-type: application/x-www-form-urlencoded"];
  const large = "x".repeat(200_000);
  const chunked = `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`;

  it.each(["/users/me", "/trpc/whoami"])("two Authorization headers are refused at %s", async (path) => {
    const reply = await rawRequest(app.url, [`GET ${path} HTTP/1.1`, authorization, authorization]);
    expectError(reply, { status: 401, reason: "TOKEN_INVALID" });
  });

  it.each<[what: string, lines: readonly string[], body: string, status: number, reason: Reason]>([
    ["a chunked body that is too large", [...loginLines, "transfer-encoding: chunked"], chunked, 413, "BAD_REQUEST"],
    ["a chunked form that is too large", [...tokenLines, "transfer-encoding: chunked"], chunked, 413, "BAD_REQUEST"],
    ["a body that says it is too large", [...loginLines, "content-length: 99999999"], "{}", 413, "BAD_REQUEST"],
    ["a form that says it is too large", [...tokenLines, "content-length: 99999999"], "a=b", 413, "BAD_REQUEST"],
    ["a body that is shorter than said", [...loginLines, "content-length: 2"], '{}{"json":1}', 400, "BAD_REQUEST"],
    ["no body and no length", loginLines, "", 400, "BAD_REQUEST"],
    ["a length below zero", [...loginLines, "content-length: -1"], "{}", 400, "BAD_REQUEST"],
    ["two lengths", [...loginLines, "content-length: 2", "content-length: 3"], "{}", 400, "BAD_REQUEST"],
    [
      "a length and chunks",
      [...loginLines, "content-length: 2", "transfer-encoding: chunked"],
      "2\r\n{}\r\n0\r\n\r\n",
      400,
      "BAD_REQUEST",
    ],
    [
      "two media types",
      [loginLines[0] ?? "", "content-type: text/plain", "content-type: application/json", "content-length: 2"],
      "{}",
      415,
      "BAD_REQUEST",
    ],
    ["an empty Authorization header", ["GET /users/me HTTP/1.1", "authorization:"], "", 401, "TOKEN_MISSING"],
    ["bytes in Authorization", ["GET /users/me HTTP/1.1", "authorization: Bearer \u00e9"], "", 401, "TOKEN_INVALID"],
    ["TRACE", ["TRACE /users/me HTTP/1.1"], "", 405, "BAD_REQUEST"],
    ["an address of another scheme", ["GET file:///etc/passwd HTTP/1.1"], "", 400, "BAD_REQUEST"],
    ["a Host that is none", ["GET /users/me HTTP/1.1", `host: ${marker}[`], "", 400, "BAD_REQUEST"],
    ["a batch of 10,000 calls", [`GET ${batch(10_000, "ping")} HTTP/1.1`], "", 431, "BAD_REQUEST"],
    ["an address of 20,000 characters", [`GET /users/me?${"x".repeat(20_000)} HTTP/1.1`], "", 431, "BAD_REQUEST"],
    ["a header of 20 KB", ["GET /users/me HTTP/1.1", `x-large: ${"x".repeat(20_000)}`], "", 431, "BAD_REQUEST"],
    ["a request line that is none", [`HELLO ${marker}`], "", 400, "BAD_REQUEST"],
    ["a method that is none", ["FLY /users/me HTTP/1.1"], "", 400, "BAD_REQUEST"],
  ])("%s gets its error", async (_, lines, body, status, reason) => {
    expectError(await rawRequest(app.url, lines, body), { status, reason });
    await expectSignIn();
  });

  it("a body on a GET is not read", async () => {
    const reply = await rawRequest(app.url, ["GET /trpc/ping HTTP/1.1", "content-length: 5"], "hello");
    expect(reply.status).toBe(200);
  });

  it.each([
    ["longer than what comes", [...loginLines, "content-length: 50"], '{"json":'],
    ["of broken chunks", [...loginLines, "transfer-encoding: chunked"], `zz\r\n{}\r\n`],
    ["of chunks that break off, as a form", [...tokenLines, "transfer-encoding: chunked"], "ff\r\na=b"],
  ])("a body %s is nobody's failure", async (_, lines, body) => {
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname).on("error", () => {});
    await once(socket, "connect");
    const request = `${[...lines, "host: localhost"].join("\r\n")}\r\n\r\n${body}`;
    await new Promise((resolve) => socket.write(request, resolve));
    socket.destroy();
    await expectSignIn();
    // Once a stranger could fill the error log by hanging up.
    expect(failures).toEqual([]);
  });
});

it("after all of this nothing is lost, polluted, logged as a failure, or stuck", async () => {
  expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  const client = app.client();
  expect(await client.login(good)).toMatchObject({ username: "alice" });
  expect((await app.request("/users/me", get(bearer))).status).toBe(200);
  expect(failures).toEqual([]);
  // A loose bound: other tests share the processor. What it is for takes seconds.
  expect(loopDelay.max / 1e6).toBeLessThan(2_000);
});

interface Received {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

async function received(request: Promise<Response>): Promise<Received> {
  const reply = await request;
  return { status: reply.status, headers: [...reply.headers].join("\n"), body: await reply.text() };
}

/** Others are served as if nothing had been. */
async function expectSignIn(): Promise<void> {
  const reply = await app.call("auth.login", { json: good });
  expect(reply.status, await reply.text()).toBe(200);
}

/** Words of libraries, and of machines. */
const foreignWords =
  /stack|node_modules|\.ts:|sqlite|select |Unexpected|ZodError|SyntaxError|URIError|No procedure found|Unrecognized|Invalid input|received|expected|-request to|undefined|TRPC/;

/** The status, the reason, a sentence, and nothing that is nobody's business. */
function expectError(reply: Received, expected: { readonly status: number; readonly reason: Reason }): void {
  expect(reply.status, reply.body).toBe(expected.status);
  expect(reply.headers).toMatch(/content-type[:,] ?application\/json/i);
  const { message, reason } = describeError(JSON.parse(reply.body));
  expect(reason).toBe(expected.reason);
  expect(message).toMatch(/^["A-Z].{8,}/);
  expect(reply.body.length).toBeLessThan(5_000);
  // The name of a procedure is told back beside the message, whatever it is.
  const said = reply.body.replace(/"path":"[^"]*"/g, "");
  expect(said).not.toMatch(foreignWords);
  for (const secret of [password, alice.accessToken, boss.accessToken, marker]) expect(said).not.toContain(secret);
}

/** tRPC's error, one of a batch or alone, or a plain route's. */
function describeError(body: unknown): { message: unknown; reason: unknown } {
  const first = Array.isArray(body) ? body[0] : body;
  if ("error_description" in first) return { message: first.error_description, reason: first.reason ?? null };
  const { message, data } = first.error.json;
  return { message, reason: data.reason };
}
