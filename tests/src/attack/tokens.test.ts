/** Tokens that nobody was given: every algorithm, every kind of key, every trick of a header. Not one is accepted. */
import { createHmac, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { signIn, signUp } from "../support/people.ts";
import { type TestApp, testApp } from "../support/test-app.ts";

const algorithms = ["EdDSA", "ES256", "RS256", "HS256"] as const;

const encode = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());

/** An attacker's own keys, each of a kind. */
const own = {
  EdDSA: generateKeyPairSync("ed25519").privateKey,
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  RS256: generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey,
} as const;

function signWith(key: KeyObject, algorithm: keyof typeof own, input: string): string {
  const bytes = Buffer.from(input);
  if (algorithm === "EdDSA") return sign(null, bytes, key).toString("base64url");
  return sign("sha256", bytes, { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
}

const hmac = (secret: string | Buffer, input: string) => createHmac("sha256", secret).update(input).digest("base64url");

/** What a public key is written as: each may be taken for a secret by a server that mixes them up. */
function spellingsOf(jwk: JsonWebKey): readonly (string | Buffer)[] {
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const pem = String(key.export({ type: "spki", format: "pem" }));
  return [pem, pem.trim(), key.export({ type: "spki", format: "der" }), JSON.stringify(jwk), jwk.x ?? jwk.n ?? ""];
}

/** Tokens made of a good one, without its key. */
function forgeries(token: string, jwks: readonly (JsonWebKey & { kid?: string })[]): Map<string, string> {
  const [head = "", body = "", signature = ""] = token.split(".");
  const header = decode(head);
  const made = new Map<string, string>();
  const add = (name: string, forged: string) => made.set(name, forged);

  for (const alg of ["none", "None", "NONE", "nOnE", "none ", " none", "", null, 0, [], ["none"], { alg: "none" }]) {
    for (const [what, end] of [
      ["no signature", ""],
      ["a short one", "AA"],
      ["the old one", signature],
    ]) {
      add(`alg ${JSON.stringify(alg)}, ${what}`, `${encode({ ...header, alg })}.${body}.${end}`);
    }
  }
  const tricks: Readonly<Record<string, object>> = {
    plain: {},
    "without kid": { kid: undefined },
    "kid of a path": { kid: "../../../../dev/null" },
    "kid of SQL": { kid: "x' union select 'k' --" },
    "kid of a URL": { kid: "https://evil.example/jwks.json" },
    "kid of a list": { kid: [header.kid] },
    "kid __proto__": { kid: "__proto__" },
    "kid of an object": { kid: { toString: header.kid } },
    jku: { jku: "https://evil.example/jwks.json" },
    x5u: { x5u: "https://evil.example/cert.pem" },
    x5c: { x5c: ["MIIB"] },
    crit: { crit: ["exp"], exp: 1 },
    "crit of b64": { crit: ["b64"], b64: false },
    "empty crit": { crit: [] },
    b64: { b64: false },
    zip: { zip: "DEF" },
    cty: { cty: "JWT" },
    typ: { typ: "JWT" },
    "typ of the feed": { typ: "feed+jwt" },
  };
  for (const [trick, change] of Object.entries(tricks)) {
    add(`${trick}, the old signature`, `${encode({ ...header, ...change, x: 1 })}.${body}.${signature}`);
    for (const [alg, key] of Object.entries(own)) {
      const jwk = createPublicKey(key).export({ format: "jwk" });
      for (const embedded of [{}, { jwk: { ...jwk, kid: header.kid } }]) {
        const input = `${encode({ ...header, alg, ...change, ...embedded })}.${body}`;
        const name = `${trick}, signed by a key of the attacker's (${alg}${"jwk" in embedded ? ", embedded" : ""})`;
        add(name, `${input}.${signWith(key, alg as keyof typeof own, input)}`);
      }
    }
    for (const alg of ["HS256", "HS384", "HS512"]) {
      const input = `${encode({ ...header, alg, ...change })}.${body}`;
      const secrets = ["", "secret", "0", header.kid ?? "", ...jwks.flatMap(spellingsOf)];
      for (const [index, secret] of secrets.entries())
        add(`${trick}, ${alg} with what is known (${index})`, `${input}.${hmac(secret, input)}`);
    }
  }

  const last = signature.at(-1) ?? "";
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  // The bits behind the last byte mean nothing, so other letters decode to the same.
  for (const letter of alphabet)
    if (letter !== last) add(`last letter ${letter}`, `${head}.${body}.${signature.slice(0, -1)}${letter}`);
  const shapes: Readonly<Record<string, string>> = {
    "two parts": `${head}.${body}`,
    "one part": head,
    "four parts": `${token}.${signature}`,
    "five parts": `${token}.${signature}.${signature}`,
    "a dot behind": `${token}.`,
    "a dot before": `.${token}`,
    "no header": `.${body}.${signature}`,
    "no body": `${head}..${signature}`,
    padding: `${head}=.${body}==.${signature}=`,
    "percent signs": token.replaceAll(".", "%2E"),
    "in quotes": `"${token}"`,
    "the JSON of it": encode({ protected: head, payload: body, signature }),
    "itself, as a payload": `${head}.${encode(token)}.${signature}`,
    "another sub": `${head}.${encode({ ...decode(body), sub: "01900000-0000-7000-8000-000000000000" })}.${signature}`,
    "a later end": `${head}.${encode({ ...decode(body), exp: 9_999_999_999 })}.${signature}`,
    "other letters": `${head.replaceAll("-", "+").replaceAll("_", "/")}+.${body}.${signature}`,
    "alg twice": `${encode(`{"alg":"none",${JSON.stringify(header).slice(1)}`)}.${body}.${signature}`,
    "a header of spaces": `${encode(`${JSON.stringify(header)} `)}.${body}.${signature}`,
    "nine thousand letters": `${head}.${"A".repeat(9_000)}.${signature}`,
    nothing: "",
  };
  for (const [name, forged] of Object.entries(shapes)) add(name, forged);
  made.delete(token);
  return made;
}

/** How a token is answered: both kinds of route have to agree. */
async function isAccepted(app: TestApp, token: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` };
  const statuses: number[] = [];
  for (const path of ["/users/me", "/trpc/whoami"]) {
    const reply = await app.request(path, { headers });
    await reply.arrayBuffer();
    statuses.push(reply.status);
  }
  expect([200, 401], `${token.slice(0, 60)}…: ${statuses}`).toContain(statuses[0]);
  expect(statuses[1]).toBe(statuses[0]);
  return statuses[0] === 200;
}

describe.each(algorithms)("a server that signs with %s", (algorithm) => {
  it("accepts no token that was made without its key", { timeout: 120_000 }, async () => {
    await using app = await testApp({ algorithm });
    const { accessToken } = await signUp(app);
    expect(await isAccepted(app, accessToken)).toBe(true);
    const { keys } = await (await app.request("/.well-known/jwks.json")).json();
    const accepted: string[] = [];
    const forged = forgeries(accessToken, keys);
    expect(forged.size).toBeGreaterThan(400);
    for (const [name, token] of forged) if (await isAccepted(app, token)) accepted.push(name);
    expect(accepted).toEqual([]);
  });

  it("accepts no claims but those of its own access tokens, even when it signed them", {
    timeout: 120_000,
  }, async () => {
    await using app = await testApp({ algorithm });
    const { accessToken } = await signUp(app);
    const good = decode(accessToken.split(".")[1] ?? "");
    const { keys } = await app.auth.start();
    const signed = (claims: object, typ = "at+jwt") => keys.current().sign(typ, JSON.stringify(claims));
    expect(await isAccepted(app, await signed(good))).toBe(true);
    const changes: Readonly<Record<string, object>> = {
      "no iss": { iss: undefined },
      "iss of another": { iss: "https://evil.example" },
      "iss with a slash": { iss: `${good.iss}/` },
      "iss that begins so": { iss: `${good.iss}.evil.example` },
      "iss of a list": { iss: [good.iss] },
      "no aud": { aud: undefined },
      "aud of another": { aud: "https://evil.example" },
      "aud that begins so": { aud: `${good.aud}x` },
      "aud of others": { aud: ["a", "b"] },
      "aud of an object": { aud: { [good.aud]: true } },
      "no exp": { exp: undefined },
      "exp null": { exp: null },
      "exp of text": { exp: "9999999999" },
      "exp of a list": { exp: [9_999_999_999] },
      "exp passed": { exp: 1 },
      "exp negative": { exp: -9_999_999_999 },
      "iat to come": { iat: good.iat + 86_400 },
      "iat of text": { iat: String(good.iat) },
      "nbf to come": { nbf: good.iat + 86_400 },
      "nbf of text": { nbf: "0" },
      "no sub": { sub: undefined },
      "sub of a list": { sub: [good.sub] },
      "sub empty": { sub: "" },
      "no sid": { sid: undefined },
      "sid of a list": { sid: [good.sid] },
      "ver of text": { ver: "1" },
      "ver negative": { ver: -1 },
      "no ver": { ver: undefined },
      "roles of text": { roles: "admin" },
      "scope of a list": { scope: ["notes:write"] },
      "auth_time of text": { auth_time: "0" },
      "no client_id": { client_id: undefined },
      "no jti": { jti: undefined },
    };
    const accepted: string[] = [];
    for (const [name, change] of Object.entries(changes))
      if (await isAccepted(app, await signed({ ...good, ...change }))) accepted.push(name);
    for (const typ of ["JWT", "jwt", "at+JWT ", "feed+jwt", "id_token", "", "dpop+jwt"])
      if (await isAccepted(app, await signed(good, typ))) accepted.push(`typ ${typ}`);
    for (const payload of ["null", "[]", '"text"', "1", "", "{", '{"sub":NaN}'])
      if (await isAccepted(app, await keys.current().sign("at+jwt", payload))) accepted.push(payload);
    expect(accepted).toEqual([]);
  });
});

it("what is one thing is not taken for another", { timeout: 60_000 }, async () => {
  await using app = await testApp();
  await using other = await testApp({ issuer: "https://other.example" });
  await using service = await testApp({ audience: "https://service.example" });
  const alice = await signUp(app);
  await signUp(other);
  await signUp(service);
  const body = new URLSearchParams({ username: "alice", password: "correct horse battery staple" });
  const form = await app.request("/sign-in", {
    method: "POST",
    body,
    headers: { origin: app.url },
    redirect: "manual",
  });
  const cookie = form.headers.get("set-cookie")?.split(";")[0]?.split("=")[1] ?? expect.fail("no cookie");
  const feed = await (await app.request("/trpc/auth.feedSnapshot")).json();
  const { setupCode } = await app.auth.start();
  const things: Readonly<Record<string, string>> = {
    "a refresh token": alice.refreshToken,
    "a cookie": cookie,
    "the feed": feed.result.data.json,
    "the set-up code": setupCode,
    "another issuer's access token": (await signIn(other)).accessToken,
    "another audience's access token": (await signIn(service)).accessToken,
  };
  for (const [name, thing] of Object.entries(things)) expect(await isAccepted(app, thing), name).toBe(false);
  for (const [name, thing] of Object.entries({ ...things, "an access token": alice.accessToken })) {
    if (name !== "a cookie") {
      const reply = await app.request("/trpc/whoami", { headers: { cookie: `countersign=${thing}` } });
      expect([name, reply.status]).toEqual([name, 401]);
    }
    if (name !== "a refresh token") {
      const reply = await app.call("auth.refresh", { json: { refreshToken: thing } });
      expect([name, [400, 401].includes(reply.status)]).toEqual([name, true]);
    }
  }
  // They are what they are.
  expect((await app.request("/trpc/whoami", { headers: { cookie: `countersign=${cookie}` } })).status).toBe(200);
  expect((await app.call("auth.refresh", { json: { refreshToken: alice.refreshToken } })).status).toBe(200);
});
