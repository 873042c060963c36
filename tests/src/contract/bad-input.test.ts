/** What bad input gets: a typed error with the right status, in words for people. Never a 500, never a stack, nothing lost. */
import type { Reason } from "@countersign/shared";
import type { SignedIn } from "@countersign/shared/schemas";
import { SignJWT } from "jose";
import { afterAll, describe, expect, it } from "vitest";
import { signUp } from "../support/people.ts";
import { rawRequest } from "../support/raw-request.ts";
import { password, testApp } from "../support/test-app.ts";

const plenty = 100_000;
const app = await testApp({
  limits: {
    loginsPerAccount: plenty,
    loginsPerAddress: plenty,
    loginsPerKnownDevice: plenty,
    registrationsPerAddress: plenty,
  },
});
const alice: SignedIn = await signUp(app);
afterAll(() => app[Symbol.asyncDispose]());

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

type Row = readonly [what: string, path: string, sent: Sent, status: number, reason: Reason | null];

const json = { "content-type": "application/json" };
const form = { "content-type": "application/x-www-form-urlencoded" };
const bearer = { authorization: `Bearer ${alice.accessToken}` };

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
];

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

const batch = (size: number, path = "whoami") => `/trpc/${Array(size).fill(path).join(",")}?batch=1`;
const routes: readonly Row[] = [
  ["a batch of 11", batch(11), get(bearer), 400, "BAD_REQUEST"],
  ["a batch of 1,000", batch(1_000, "ping"), get({}), 400, "BAD_REQUEST"],
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
  ["POST to /users/me", "/users/me", post("", bearer), 404, "NOT_FOUND"],
  ["GET of /token", "/token", get({}), 404, "NOT_FOUND"],
  ["JSON to /token", "/token", post(good), 400, "BAD_REQUEST"],
  ["nothing to /token", "/token", token(""), 400, "BAD_REQUEST"],
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
  ["routes and methods", routes],
])("%s", (_, rows) => {
  it.each(rows)("%s gets its error", async (_, path, sent, status, reason) => {
    const reply = await app.request(path, sent as RequestInit);
    expectError(
      { status: reply.status, headers: [...reply.headers].join("\n"), body: await reply.text() },
      { path, status, reason },
    );
  });
});

describe.each(tokens)("%s as authorization", (_, authorization, reason) => {
  it.each(["/users/me", "/trpc/whoami"])("is refused at %s", async (path) => {
    const reply = await app.request(path, get(authorization === "" ? {} : { authorization }));
    expectError(
      { status: reply.status, headers: [...reply.headers].join("\n"), body: await reply.text() },
      { path, status: 401, reason },
    );
    expect(reply.headers.get("www-authenticate")).toMatch(
      reason === "TOKEN_MISSING" ? /^Bearer$/ : /^Bearer error="invalid_token"$/,
    );
  });
});

describe("what fetch refuses to send", () => {
  const authorization = `authorization: Bearer ${alice.accessToken}`;

  it.each(["/users/me", "/trpc/whoami"])("two Authorization headers are refused at %s", async (path) => {
    const reply = await rawRequest(app.url, [`GET ${path} HTTP/1.1`, authorization, authorization]);
    expectError(reply, { path, status: 401, reason: "TOKEN_INVALID" });
  });

  it("a chunked body that is too large is refused", async () => {
    const chunk = "x".repeat(200_000);
    const body = `${chunk.length.toString(16)}\r\n${chunk}\r\n0\r\n\r\n`;
    const lines = ["POST /trpc/auth.login HTTP/1.1", "content-type: application/json", "transfer-encoding: chunked"];
    const reply = await rawRequest(app.url, lines, body);
    expectError(reply, { path: "/trpc", status: 413, reason: "BAD_REQUEST" });
  });

  it("a body on a GET is not read", async () => {
    const reply = await rawRequest(app.url, ["GET /trpc/ping HTTP/1.1", "content-length: 5"], "hello");
    expect(reply.status).toBe(200);
  });

  it.each([
    ["a batch of 10,000 calls", `GET ${batch(10_000, "ping")} HTTP/1.1`, 431],
    ["a header of 20 KB", `GET /users/me HTTP/1.1\r\nx-large: ${"x".repeat(20_000)}`, 431],
    ["a request line that is none", "HELLO", 400],
  ])("%s is refused by the platform", async (_, line, status) => {
    expect((await rawRequest(app.url, [line])).status).toBe(status);
  });
});

it("after all of this nothing is lost, and nothing is polluted", async () => {
  expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  const client = app.client();
  expect(await client.login(good)).toMatchObject({ username: "alice" });
  expect((await app.request("/users/me", get(bearer))).status).toBe(200);
});

/** The status, the reason, a sentence, and nothing that is nobody's business. */
function expectError(
  reply: { readonly status: number; readonly headers: string; readonly body: string },
  expected: { readonly path: string; readonly status: number; readonly reason: Reason | null },
): void {
  expect(reply.status, reply.body).toBe(expected.status);
  expect(reply.headers).toMatch(/content-type[:,] ?application\/json/i);
  const { message, reason } = describeError(JSON.parse(reply.body));
  expect(reason).toBe(expected.reason);
  expect(message).toMatch(/^["A-Z].{8,}/);
  expect(reply.body).not.toMatch(/stack|node_modules|\.ts:|sqlite|select |Unexpected token|ZodError|SyntaxError/i);
  expect(reply.body).not.toContain(password);
  expect(reply.body).not.toContain(alice.accessToken);
}

/** tRPC's error, one of a batch or alone, or a plain route's. */
function describeError(body: unknown): { message: unknown; reason: unknown } {
  const first = Array.isArray(body) ? body[0] : body;
  if ("error_description" in first) return { message: first.error_description, reason: first.reason ?? null };
  const { message, data } = first.error.json;
  return { message, reason: data.reason };
}
