/** Tokens that nobody was given: every algorithm, every kind of key, every trick of a header. Not one is accepted. */
import { randomUUID } from "node:crypto";
import { compactVerify, createRemoteJWKSet, decodeProtectedHeader, importJWK, importX509 } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { boardOf } from "../support/board.ts";
import { isLong } from "../support/long-tests.ts";
import { signIn, signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import { sharedDatabase } from "../support/test-database.ts";
import { type Attacker, startAttacker, toPem } from "./attacker.ts";
import { type Doors, doorsOf, openedBy, verifierOf } from "./doors.ts";
import { forgeriesOf, type Known, nameOf, perform, type SignedTrick, signedTricks } from "./forgeries.ts";
import { decode } from "./jws.ts";

const algorithms = ["EdDSA", "ES256", "RS256", "HS256"] as const;

async function knownOf(app: TestApp): Promise<Known> {
  const { accessToken: token } = await signUp(app);
  const { keys: jwks } = await (await app.request("/.well-known/jwks.json")).json();
  return { token, jwks };
}

describe.each(algorithms)("a server that signs with %s", { timeout: isLong ? 600_000 : 120_000 }, (algorithm) => {
  let app: TestApp;
  let known: Known;
  let doors: Doors;
  beforeAll(async () => {
    app = await testApp({ algorithm });
    known = await knownOf(app);
    doors = doorsOf(app, algorithm === "HS256" ? null : verifierOf(app));
    return () => app[Symbol.asyncDispose]();
  });

  it("is shown tokens that are good for whoever believes what they say of their key", async () => {
    await using attacker = await startAttacker();
    const believed = signedTricks(known, attacker).filter(isKnownToJose);
    expect(believed.length).toBeGreaterThan(60);
    for (const trick of believed) {
      const token = perform(trick, known);
      const named = await keyNamedBy(token, attacker);
      for (const key of [trick.signature.checkedWith, named ?? trick.signature.checkedWith])
        expect(await verdictOf(token, key), nameOf(trick)).toBe("believed");
    }
  });

  it("accepts no token that was made without its key, and asks no address in one", async () => {
    await using attacker = await startAttacker();
    expect(await openedBy(new Map([["the good one", known.token]]), doors)).toEqual({
      "the good one": Object.keys(doors),
    });
    const forgeries = forgeriesOf(known, attacker);
    expect(forgeries.size).toBeGreaterThan(isLong ? 1_000 : 240);
    expect(await openedBy(forgeries, doors)).toEqual({});
    expect(attacker.visits()).toBe(0);
  });

  it("accepts no claims but those of its own access tokens, even when it signed them", async () => {
    const good = decode(known.token.split(".")[1]);
    const { iat, iss, aud, sub, sid } = good;
    const later = Number(iat) + 86_400;
    const changes: Readonly<Record<string, object>> = {
      "no iss": { iss: undefined },
      "iss of another": { iss: "https://evil.example" },
      "iss with a slash": { iss: `${iss}/` },
      "iss that begins so": { iss: `${iss}.evil.example` },
      "iss of a list": { iss: [iss] },
      "no aud": { aud: undefined },
      "aud of another": { aud: "https://evil.example" },
      "aud that begins so": { aud: `${aud}x` },
      "aud of others": { aud: ["a", "b"] },
      "aud of an object": { aud: { [String(aud)]: true } },
      "no exp": { exp: undefined },
      "exp null": { exp: null },
      "exp of text": { exp: "9999999999" },
      "exp of a list": { exp: [9_999_999_999] },
      "exp passed": { exp: 1 },
      "exp negative": { exp: -9_999_999_999 },
      "iat to come": { iat: later },
      "iat of text": { iat: String(iat) },
      "nbf to come": { nbf: later },
      "nbf of text": { nbf: "0" },
      "no sub": { sub: undefined },
      "sub of a list": { sub: [sub] },
      "sub empty": { sub: "" },
      "no sid": { sid: undefined },
      "sid of a list": { sid: [sid] },
      "ver of text": { ver: "1" },
      "ver negative": { ver: -1 },
      "no ver": { ver: undefined },
      "roles of text": { roles: "admin" },
      "scope of a list": { scope: ["notes:write"] },
      "auth_time of text": { auth_time: "0" },
      "no client_id": { client_id: undefined },
      "no jti": { jti: undefined },
    };
    const payloads = ["null", "[]", '"text"', "1", "", "{", '{"sub":NaN}'];
    const { keys } = await app.auth.start();
    const sign = async (name: string, payload: object | string, typ = "at+jwt") =>
      [name, await keys.current().sign(typ, typeof payload === "string" ? payload : JSON.stringify(payload))] as const;
    const signed = await Promise.all([
      sign("as they were", good),
      ...Object.entries(changes).map(([name, change]) => sign(name, { ...good, ...change })),
      ...["JWT", "jwt", "at+JWT ", "feed+jwt", "id_token", "", "dpop+jwt"].map((typ) => sign(`typ ${typ}`, good, typ)),
      ...payloads.map((payload) => sign(payload, payload)),
    ]);
    expect(await openedBy(new Map(signed), doors)).toEqual({ "as they were": Object.keys(doors) });
  });
});

/** The algorithms and keys that jose and WebCrypto have no name for. */
function isKnownToJose({ signature: { alg, checkedWith } }: SignedTrick): boolean {
  return alg !== "ES256K" && alg !== "Ed448" && checkedWith.symmetricKeySize !== 0;
}

/** The key that a header leads to, for whoever goes there; `null` where it says nothing of one. */
async function keyNamedBy(token: string, attacker: Attacker) {
  const { alg = "", kid = "", jwk, jku, x5c, x5u } = decodeProtectedHeader(token);
  if (jwk !== undefined) return importJWK(jwk, alg);
  if (jku !== undefined) return createRemoteJWKSet(new URL(jku))({ alg, kid });
  if (x5c !== undefined) return importX509(toPem(x5c[0] ?? ""), alg);
  if (x5u !== undefined) return importX509(await (await fetch(x5u)).text(), alg);
  return kid.startsWith(attacker.url) ? importJWK(await (await fetch(kid)).json(), alg) : null;
}

function verdictOf(token: string, key: Parameters<typeof compactVerify>[1]): Promise<unknown> {
  return compactVerify(token, key).then(
    () => "believed",
    (error: unknown) => error,
  );
}

it("what is one thing is not taken for another, wherever it is shown", { timeout: 60_000 }, async () => {
  await using shared = await sharedDatabase();
  await using app = await testApp({}, { database: shared.open() });
  await using other = await testApp(
    { issuer: "https://other.example", audience: app.auth.options.issuer },
    { database: shared.open(), seed: "other" },
  );
  await using service = await testApp(
    { audience: "https://service.example" },
    { database: shared.open(), seed: "service" },
  );
  await signUp(app);
  const fresh = {
    "an access token": async () => (await signIn(app)).accessToken,
    "a refresh token": async () => (await signIn(app)).refreshToken,
    "a cookie": () => cookieOf(app),
  };
  const feed = await (await app.request("/trpc/auth.feedSnapshot")).json();
  const { setupCode } = await app.auth.start();
  const things: Readonly<Record<string, string>> = {
    "an access token": await fresh["an access token"](),
    "a refresh token": await fresh["a refresh token"](),
    "a cookie": await fresh["a cookie"](),
    "a refresh token in the form of a cookie": withName(await fresh["a refresh token"](), (name) =>
      name.subarray(0, 16),
    ),
    "a cookie in the form of a refresh token": withName(await fresh["a cookie"](), (name) =>
      Buffer.concat([name, Buffer.alloc(4)]),
    ),
    "the feed": feed.result.data.json,
    "the set-up code": setupCode,
    "another issuer's access token": (await signIn(other)).accessToken,
    "another audience's access token": (await signIn(service)).accessToken,
  };
  // The same key has signed them: nothing but what they say is wrong.
  const headerOf = (name: string) => decode(things[name]?.split(".")[0]);
  for (const name of ["another issuer's access token", "another audience's access token"])
    expect(headerOf(name)).toEqual(headerOf("an access token"));

  const said: Record<string, string> = {};
  const expected: Record<string, string> = {};
  for (const { name: place, takes, show } of placesOf(app)) {
    for (const [name, thing] of Object.entries(things).filter(([name]) => name !== takes)) {
      const shown = `${name} as ${takes}: ${place}`;
      said[shown] = await show(thing);
      // No refresh token is as long as that.
      const isTooLong = takes === "a refresh token" && thing.length > 512;
      expected[shown] = isTooLong ? "BAD_REQUEST" : "TOKEN_INVALID";
    }
    expect(await show(await fresh[takes]()), `${takes}: ${place}`).toBe("accepted");
  }
  expect(said).toEqual(expected);
});

/** A session secret is its name and 32 bytes that prove it, in base64url. */
function withName(secret: string, change: (name: Buffer) => Buffer): string {
  const [version, encoded = ""] = secret.split(".");
  const bytes = Buffer.from(encoded, "base64url");
  const changed = Buffer.concat([change(bytes.subarray(0, -32)), bytes.subarray(-32)]);
  return `${version}.${changed.toString("base64url")}`;
}

async function cookieOf(app: TestApp): Promise<string> {
  const body = new URLSearchParams({ username: "alice", password });
  const headers = { origin: app.url };
  const reply = await app.request("/sign-in", { method: "POST", body, headers, redirect: "manual" });
  return reply.headers.get("set-cookie")?.split(";")[0]?.split("=")[1] ?? expect.fail("no cookie");
}

interface Place {
  readonly name: string;
  readonly takes: "an access token" | "a refresh token" | "a cookie";
  /** The reason of the refusal, or "accepted". */
  show(thing: string): Promise<string>;
}

/** Where credentials are shown. */
function placesOf(app: TestApp): readonly Place[] {
  const bearer = (thing: string) => ({ authorization: `Bearer ${thing}` });
  const cookie = (thing: string) => ({ cookie: `countersign=${thing}`, origin: app.url });
  const get = async (path: string, headers: Record<string, string>) => reasonIn(await app.request(path, { headers }));
  const post = async (...call: Parameters<TestApp["call"]>) => reasonIn(await app.call(...call));
  const grant = async (refresh_token: string) => {
    const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token });
    return reasonIn(await app.request("/token", { method: "POST", body }));
  };
  return [
    { name: "GET /users/me", takes: "an access token", show: (thing) => get("/users/me", bearer(thing)) },
    { name: "a call", takes: "an access token", show: (thing) => get("/trpc/whoami", bearer(thing)) },
    { name: "a subscription", takes: "an access token", show: (thing) => subscribe(app, bearer(thing)) },
    {
      name: "auth.logout",
      takes: "an access token",
      show: (thing) => post("auth.logout", { json: {} }, bearer(thing)),
    },
    { name: "a call", takes: "a cookie", show: (thing) => get("/trpc/whoami", cookie(thing)) },
    { name: "a subscription", takes: "a cookie", show: (thing) => subscribe(app, cookie(thing)) },
    { name: "auth.logout", takes: "a cookie", show: (thing) => post("auth.logout", { json: {} }, cookie(thing)) },
    {
      name: "auth.refresh",
      takes: "a refresh token",
      show: (refreshToken) => post("auth.refresh", { json: { refreshToken } }),
    },
    {
      name: "auth.logout",
      takes: "a refresh token",
      show: (refreshToken) => post("auth.logout", { json: { refreshToken } }),
    },
    { name: "POST /token", takes: "a refresh token", show: grant },
  ];
}

/** A stream says in itself why it ends. One that is open does not end: its reader is at the board. */
async function subscribe(app: TestApp, headers: Record<string, string>): Promise<string> {
  const board = randomUUID();
  const over = new AbortController();
  const input = encodeURIComponent(JSON.stringify({ json: { board } }));
  const reply = await app.request(`/trpc/live?input=${input}`, {
    headers: { accept: "text/event-stream", ...headers },
    signal: over.signal,
  });
  const reason = await Promise.race([
    reasonIn(reply),
    boardOf(board)
      .readersAre(1)
      .then(() => "accepted"),
  ]);
  over.abort();
  return reason;
}

async function reasonIn(reply: Response): Promise<string> {
  return /"reason":"(\w+)"/.exec(await reply.text())?.[1] ?? "accepted";
}
