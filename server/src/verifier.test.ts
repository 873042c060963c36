import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { AccountId, SessionId } from "@countersign/shared/schemas";
import { base64url, type JWK } from "jose";
import { beforeEach, describe, expect, expectTypeOf, test } from "vitest";
import { signAccessToken } from "./crypto/access-token.ts";
import { importSigningKey } from "./crypto/import-signing-key.ts";
import { generateKey, importEncryptionKey, publicPart, type SigningKey } from "./crypto/signing-key.ts";
import { IssuerKeys } from "./engine/issuer-keys.ts";
import {
  AuthError,
  createVerifier,
  type Fetch,
  isAuthError,
  type Principal,
  type VerifierOptions,
} from "./verifier.ts";

const start = 1_800_000_000_000;
const issuer = "https://auth.example.com";
const audience = "https://api.example.com";
const jwksUri = `${issuer}/.well-known/jwks.json`;

let time: number;
const now = () => time;

interface TestKey {
  readonly signing: SigningKey;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
}

async function makeKey(kid: string): Promise<TestKey> {
  const jwk = await generateKey((length) => new Uint8Array(length), "EdDSA");
  const publicJwk = publicPart(jwk, kid, "EdDSA") as JWK;
  return { signing: importSigningKey(jwk, kid, "EdDSA"), publicJwk, privateJwk: { ...jwk, kid } };
}

const [one, two] = [await makeKey("one"), await makeKey("two")];

async function sign(
  { signing }: TestKey,
  { lifetime = 86_400 * 3, decryptionKey }: { lifetime?: number; decryptionKey?: Uint8Array<ArrayBuffer> } = {},
): Promise<string> {
  const grant = {
    accountId: "0198c2a1-7f7e-7000-8000-000000000001" as AccountId,
    username: "alice",
    sessionId: "0198c2a1-7f7e-7000-8000-000000000002" as SessionId,
    clientId: "web",
    scopes: [],
    roles: [],
    version: 0,
    authTime: start,
    amr: ["pwd"],
  };
  const issuedAt = start / 1_000;
  return signAccessToken(signing, grant, {
    issuer,
    audience,
    jti: crypto.randomUUID(),
    issuedAt,
    expiresAt: issuedAt + lifetime,
    encryptionKey: decryptionKey ? await importEncryptionKey(decryptionKey) : null,
  });
}

/** An issuer that a test can take down, and whose replies it can hold back. */
function fakeIssuer(...published: JWK[]) {
  const state = {
    keys: published,
    fetches: 0,
    down: false,
    errors: [] as unknown[],
    reply: null as (() => Response | Promise<Response>) | null,
    gate: Promise.resolve() as Promise<unknown>,
  };
  const fetch: Fetch = async () => {
    state.fetches += 1;
    await state.gate;
    if (state.down) throw new TypeError("fetch failed");
    return state.reply?.() ?? Response.json({ keys: state.keys });
  };
  return Object.assign(state, { fetch, onError: (error: unknown) => void state.errors.push(error) });
}

function open(issuing: ReturnType<typeof fakeIssuer>, options: Partial<VerifierOptions> = {}) {
  const { fetch, onError } = issuing;
  return createVerifier({ issuer, audience, jwksUri, now, fetch, onError, ...options } as VerifierOptions);
}

async function reasonOf(verifying: Promise<unknown>): Promise<unknown> {
  return verifying.then(
    () => "accepted",
    (error) => (error.name === "AuthError" ? error.reason : error),
  );
}

beforeEach(() => {
  time = start;
});

describe("tokens", () => {
  test("are verified with fetched keys, and with given ones", async () => {
    const token = await sign(one);
    expect(await open(fakeIssuer(one.publicJwk)).verify(token)).toMatchObject({ username: "alice", clientId: "web" });
    const fixed = createVerifier({ issuer, audience, now, jwks: { keys: [one.publicJwk, two.publicJwk] } });
    expect(await reasonOf(fixed.verify(token))).toBe("accepted");
    expect(await reasonOf(fixed.verify(await sign(two)))).toBe("accepted");
    expect(await reasonOf(fixed.verify(await sign(await makeKey("three"))))).toBe("TOKEN_INVALID");
    expect(await reasonOf(fixed.verify(await sign(await makeKey("one"))))).toBe("TOKEN_INVALID");
  });

  test("are looked up the second time", async () => {
    const verifier = open(fakeIssuer(one.publicJwk));
    const token = await sign(one);
    expect(await verifier.verify(token)).toBe(await verifier.verify(token));
  });

  test("expire, in the cache too", async () => {
    const verifier = open(fakeIssuer(one.publicJwk));
    const token = await sign(one, { lifetime: 60 });
    time += 64_999;
    expect(await reasonOf(verifier.verify(token))).toBe("accepted");
    time += 1;
    expect(await reasonOf(verifier.verify(token))).toBe("TOKEN_EXPIRED");
    const impatient = open(fakeIssuer(one.publicJwk), { maxAgeSeconds: 10, clockToleranceSeconds: 0 });
    expect(await reasonOf(impatient.verify(await sign(one)))).toBe("TOKEN_EXPIRED");
  });

  test("that are encrypted need the key, as bytes or base64url", async () => {
    const decryptionKey = new Uint8Array(32).fill(9);
    const token = await sign(one, { decryptionKey });
    for (const given of [decryptionKey, base64url.encode(decryptionKey)]) {
      const verifier = open(fakeIssuer(one.publicJwk), { decryptionKey: given });
      expect(await reasonOf(verifier.verify(token))).toBe("accepted");
      expect(await reasonOf(verifier.verify(await sign(one)))).toBe("accepted");
    }
    expect(await reasonOf(open(fakeIssuer(one.publicJwk)).verify(token))).toBe("TOKEN_INVALID");
  });

  test.each([
    [
      { issuer: "https://auth.example.com/" },
      `"iss" of the access token differs: expected "${issuer}/", got "${issuer}"`,
    ],
    [{ audience: "https://other" }, `"aud" of the access token differs: expected "https://other", got "${audience}"`],
  ])("of another issuer or audience say to the developer what differs: %j", async (expected, message) => {
    const token = await sign(one);
    const error: unknown = await open(fakeIssuer(one.publicJwk), expected)
      .verify(token)
      .catch((thrown) => thrown);
    expect(isAuthError(error) && error.data.reason).toBe("TOKEN_INVALID");
    expect(error).toBeInstanceOf(AuthError);
    expect((error as AuthError).cause).toEqual(new Error(message));
    expect(message).not.toContain(token.split(".")[1]);
  });

  test("that are forged tell nobody what they claim", async () => {
    const forged = await sign(await makeKey("one"));
    const error: unknown = await open(fakeIssuer(one.publicJwk), { audience: "https://other" })
      .verify(forged)
      .catch((thrown) => thrown);
    expect((error as AuthError).cause).toBeUndefined();
  });

  test.each([null, undefined, ""])("that are absent (%j) are missing, not wrong", async (token) => {
    const issuing = fakeIssuer(one.publicJwk);
    expect(await reasonOf(open(issuing).verify(token))).toBe("TOKEN_MISSING");
    expect(issuing.fetches).toBe(0);
  });

  test("that are no text are wrong", async () => {
    const verifier = open(fakeIssuer(one.publicJwk));
    for (const token of [7, {}, [await sign(one)], true]) {
      expect(await reasonOf(verifier.verify(token as unknown as string))).toBe("TOKEN_INVALID");
    }
  });

  test("of a request come from its Authorization header", async () => {
    const verifier = open(fakeIssuer(one.publicJwk));
    const token = await sign(one);
    const request = (authorization?: string) =>
      new Request("https://api.example.com/", authorization === undefined ? {} : { headers: { authorization } });
    expect((await verifier.verifyRequest(request(`Bearer ${token}`))).username).toBe("alice");
    expect(await reasonOf(verifier.verifyRequest(request()))).toBe("TOKEN_MISSING");
    expect(await reasonOf(verifier.verifyRequest(request(`Bearer ${token}, Bearer ${token}`)))).toBe("TOKEN_INVALID");
  });
});

describe("keys", () => {
  test("are fetched once for any number of tokens at once", async () => {
    const issuing = fakeIssuer(one.publicJwk);
    const verifier = open(issuing);
    const tokens = await Promise.all(Array.from({ length: 20 }, () => sign(one)));
    await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(issuing.fetches).toBe(1);
  });

  test("are not fetched before they are needed", () => {
    const issuing = fakeIssuer(one.publicJwk);
    open(issuing);
    expect(issuing.fetches).toBe(0);
  });

  test("that are unknown are fetched once in a cooldown, and refused meanwhile", async () => {
    const issuing = fakeIssuer(one.publicJwk);
    const verifier = open(issuing);
    await verifier.verify(await sign(one));
    time += 30_000;
    for (let count = 0; count < 20; count += 1) {
      const unknown = await sign(await makeKey(`unknown-${count}`));
      expect(await reasonOf(verifier.verify(unknown))).toBe("TOKEN_INVALID");
    }
    expect(issuing.fetches).toBe(2);
    expect(await reasonOf(verifier.verify(await sign(one)))).toBe("accepted");
  });

  test("that are new are found, once the cooldown is over", async () => {
    const issuing = fakeIssuer(one.publicJwk);
    const verifier = open(issuing);
    await verifier.verify(await sign(one));
    issuing.keys = [one.publicJwk, two.publicJwk];
    const token = await sign(two);
    time += 29_999;
    expect(await reasonOf(verifier.verify(token))).toBe("TOKEN_INVALID");
    time += 1;
    expect(await reasonOf(verifier.verify(token))).toBe("accepted");
  });

  test("that are new are found, where the last fetch was of a clock that was ahead", async () => {
    const issuing = fakeIssuer(one.publicJwk);
    const verifier = open(issuing);
    time += 3_600_000;
    await verifier.verify(await sign(one));
    time -= 3_600_000;
    issuing.keys = [one.publicJwk, two.publicJwk];
    expect(await reasonOf(verifier.verify(await sign(two)))).toBe("accepted");
  });

  test("that changed are fetched again, once a second at most, also after a clock that was ahead", async () => {
    const issuing = fakeIssuer(one.publicJwk);
    const { fetch, onError } = issuing;
    const onRemoved = () => {};
    const limits = { cooldownSeconds: 30, staleSeconds: 60 };
    const keys = new IssuerKeys({ uri: jwksUri, now, fetch, onError, onRemoved, ...limits });
    time += 3_600_000;
    await keys.renew();
    await keys.renew();
    expect(issuing.fetches).toBe(1);
    time -= 3_600_000;
    await keys.renew();
    expect(issuing.fetches).toBe(2);
  });

  test.each<[string | null, number]>([
    [null, 300],
    ["public, max-age=60", 60],
    ["max-age=86400", 3_600],
    ["no-store, max-age=0", 30],
    ["s-maxage=5", 300],
  ])("with cache-control %j are fetched again after %i seconds", async (header, seconds) => {
    const issuing = fakeIssuer(one.publicJwk);
    const headers = header === null ? {} : { "cache-control": header };
    issuing.reply = () => Response.json({ keys: issuing.keys }, { headers });
    const verifier = open(issuing);
    const token = await sign(one);
    await verifier.verify(token);
    time += seconds * 1_000 - 1;
    await verifier.verify(token);
    expect(issuing.fetches).toBe(1);
    time += 1;
    await verifier.verify(token);
    expect(issuing.fetches).toBe(2);
  });

  test("that are gone no longer prove anything, not even what they proved before", async () => {
    const issuing = fakeIssuer(one.publicJwk, two.publicJwk);
    const verifier = open(issuing);
    const [ones, twos] = [await sign(one), await sign(two)];
    await verifier.verify(ones);
    await verifier.verify(twos);
    issuing.keys = [two.publicJwk];
    time += 300_000;
    expect(await reasonOf(verifier.verify(ones))).toBe("TOKEN_INVALID");
    expect(await reasonOf(verifier.verify(twos))).toBe("accepted");
  });

  test("that became others under the same kid prove nothing of the old ones", async () => {
    const issuing = fakeIssuer(one.publicJwk);
    const verifier = open(issuing);
    const token = await sign(one);
    await verifier.verify(token);
    issuing.keys = [{ ...two.publicJwk, kid: "one" }];
    time += 300_000;
    expect(await reasonOf(verifier.verify(token))).toBe("TOKEN_INVALID");
  });

  test("are kept while the issuer is down, for a bounded time", async () => {
    const issuing = fakeIssuer(one.publicJwk);
    const verifier = open(issuing, { staleSeconds: 3_600 });
    const [token, cold] = [await sign(one), await sign(one)];
    await verifier.verify(token);
    issuing.down = true;
    time += 3_899_999;
    expect(await reasonOf(verifier.verify(token))).toBe("accepted");
    expect(await reasonOf(verifier.verify(cold))).toBe("accepted");
    expect(issuing.errors).toHaveLength(1);
    time += 1;
    expect(await reasonOf(verifier.verify(token))).toBe("UNAVAILABLE");
    issuing.down = false;
    time += 30_000;
    expect(await reasonOf(verifier.verify(token))).toBe("accepted");
  });

  test("that nobody could fetch refuse nobody for good, and the issuer is asked ever more slowly", async () => {
    const issuing = fakeIssuer(one.publicJwk);
    issuing.down = true;
    const verifier = open(issuing);
    const token = await sign(one);
    const askedAt: number[] = [];
    for (; time < start + 120_000; time += 500) {
      const before = issuing.fetches;
      expect(await reasonOf(verifier.verify(token))).toBe("UNAVAILABLE");
      if (issuing.fetches > before) askedAt.push((time - start) / 1_000);
    }
    expect(askedAt).toEqual([0, 1, 3, 7, 15, 31, 61, 91]);
    issuing.down = false;
    time += 30_000;
    expect(await reasonOf(verifier.verify(token))).toBe("accepted");
    expect(await reasonOf(verifier.verify(await sign(two)))).toBe("TOKEN_INVALID");
  });

  test("that are unknown while the issuer is down may be new: the caller is told when to come again", async () => {
    const issuing = fakeIssuer(one.publicJwk);
    const verifier = open(issuing);
    await verifier.verify(await sign(one));
    issuing.down = true;
    time += 30_000;
    const error = await verifier.verify(await sign(two)).catch((caught) => caught);
    expect(error.data).toEqual({ reason: "UNAVAILABLE", details: { retryAfter: 1 } });
    expect(error.message).not.toMatch(/fetch failed|example\.com/);
  });

  test("that are being fetched again hold up nobody but the request that began it", async () => {
    const issuing = fakeIssuer(one.publicJwk);
    const verifier = open(issuing);
    const token = await sign(one);
    await verifier.verify(token);
    time += 300_000;
    let release = () => {};
    issuing.gate = new Promise<void>((resolve) => (release = resolve));
    const first = verifier.verify(token);
    expect(await reasonOf(verifier.verify(token))).toBe("accepted");
    expect(await reasonOf(verifier.verify(await sign(one)))).toBe("accepted");
    release();
    expect(await reasonOf(first)).toBe("accepted");
    expect(issuing.fetches).toBe(2);
  });

  test("are asked for anew where a fetch died with the request that began it", async () => {
    const issuing = fakeIssuer(one.publicJwk);
    const verifier = open(issuing);
    issuing.gate = new Promise(() => {});
    void verifier.verify(await sign(one));
    await new Promise((resolve) => setImmediate(resolve));
    issuing.gate = Promise.resolve();
    time += 30_000;
    expect(await reasonOf(verifier.verify(await sign(one)))).toBe("accepted");
    expect(issuing.fetches).toBe(2);
  });
});

describe("a JWKS is refused", () => {
  const rsa = (modulusLength: number, publicExponent: number) =>
    generateKeyPairSync("rsa", { modulusLength, publicExponent }).publicKey.export({ format: "jwk" });
  const table: [string, () => unknown][] = [
    ["that is no object", () => [one.publicJwk]],
    ["that is null", () => null],
    ["without keys", () => ({})],
    ["with no key at all", () => ({ keys: [] })],
    ["with a key that is no object", () => ({ keys: [one.publicJwk, "key"] })],
    [
      "with more keys than anyone needs",
      () => ({ keys: Array.from({ length: 101 }, (_, index) => ({ ...one.publicJwk, kid: `${index}` })) }),
    ],
    ["with a private key", () => ({ keys: [one.publicJwk, two.privateJwk] })],
    ["with a symmetric key", () => ({ keys: [one.publicJwk, { kty: "oct", kid: "s", k: "AAAA" }] })],
    [
      "with a symmetric key for something else",
      () => ({ keys: [one.publicJwk, { kty: "oct", use: "enc", k: "AAAA" }] }),
    ],
    ["with two keys of the same kid", () => ({ keys: [one.publicJwk, { ...two.publicJwk, kid: "one" }] })],
    ["with keys without a kid only", () => ({ keys: [{ ...one.publicJwk, kid: undefined }] })],
    ["with keys for encryption only", () => ({ keys: [{ ...one.publicJwk, use: "enc" }] })],
    ["with keys for other operations only", () => ({ keys: [{ ...one.publicJwk, key_ops: ["sign"] }] })],
    ["with keys of another algorithm only", () => ({ keys: [{ ...one.publicJwk, alg: "ES512" }] })],
    ["with a weak RSA key", () => ({ keys: [one.publicJwk, { ...rsa(1024, 65537), kid: "weak" }] })],
    ["with an RSA key of a small exponent", () => ({ keys: [one.publicJwk, { ...rsa(2048, 3), kid: "small" }] })],
  ];

  test.each(table)("%s: when it is given, and when it is fetched", async (_, jwks) => {
    expect(() => createVerifier({ issuer, audience, jwks: jwks() as never })).toThrow(TypeError);
    const issuing = fakeIssuer();
    issuing.reply = () => Response.json(jwks());
    expect(await reasonOf(open(issuing).verify(await sign(one)))).toBe("UNAVAILABLE");
    expect(issuing.errors).toEqual([expect.any(TypeError)]);
  });

  test.each<[string, () => Response]>([
    ["that is no JSON", () => new Response("<html>")],
    ["that is empty", () => new Response(null)],
    ["with another status", () => Response.json({ keys: [one.publicJwk] }, { status: 203 })],
    ["that redirects", () => new Response(null, { status: 302, headers: { location: "https://evil.example" } })],
    ["that is too long", () => Response.json({ keys: [one.publicJwk], filler: "x".repeat(65_536) })],
    ["with a point that is not on its curve", () => Response.json({ keys: [offCurve] })],
  ])("%s: when it is fetched", async (_, reply) => {
    const issuing = fakeIssuer();
    issuing.reply = reply;
    expect(await reasonOf(open(issuing).verify(await sign(one)))).toBe("UNAVAILABLE");
    expect(issuing.errors).toHaveLength(1);
  });

  const offCurve = { kty: "EC", crv: "P-256", x: "A".repeat(43), y: "A".repeat(43), kid: "one" };

  test("a given key that cannot be imported proves nothing, and is told of", async () => {
    const errors: unknown[] = [];
    const jwks = { keys: [offCurve, two.publicJwk] };
    const verifier = createVerifier({ issuer, audience, now, jwks, onError: (error) => errors.push(error) });
    expect(await reasonOf(verifier.verify(await sign(one)))).toBe("TOKEN_INVALID");
    expect(await reasonOf(verifier.verify(await sign(two)))).toBe("accepted");
    expect(errors).toHaveLength(1);
  });

  test("but keys that are not for us beside those that are do not matter", async () => {
    const others = [
      { kty: "EC", crv: "P-521", kid: "p521", x: "AA", y: "AA" },
      { kty: "new", kid: "new" },
      { ...two.publicJwk, use: "enc" },
    ];
    const verifier = createVerifier({ issuer, audience, now, jwks: { keys: [...others, one.publicJwk] } });
    expect(await reasonOf(verifier.verify(await sign(one)))).toBe("accepted");
    expect(await reasonOf(verifier.verify(await sign(two)))).toBe("TOKEN_INVALID");
  });

  test("a reply that never ends is given up as soon as it is too long", async () => {
    let sent = 0;
    const server = createServer((_, response) => {
      const timer = setInterval(() => response.write(" ".repeat(16_384), () => (sent += 1)), 1);
      response.on("close", () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const errors: Error[] = [];
    const verifier = createVerifier({
      issuer,
      audience,
      now,
      jwksUri: `http://127.0.0.1:${port}/`,
      onError: (error) => errors.push(error as Error),
    });
    expect(await reasonOf(verifier.verify(await sign(one)))).toBe("UNAVAILABLE");
    expect(errors[0]?.message).toContain("longer than 65536 bytes");
    expect(sent).toBeLessThan(50);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

test("a principal is typed by what the issuer is known to put into tokens", () => {
  interface Claims {
    readonly plan: "free" | "pro";
  }
  const verifier = createVerifier<Principal<"notes:read", "admin", Claims>>({ issuer, audience, jwksUri });
  expectTypeOf(verifier.verify).returns.resolves.toEqualTypeOf<Principal<"notes:read", "admin", Claims>>();
  expectTypeOf(createVerifier({ issuer, audience, jwksUri }).verify).returns.resolves.toEqualTypeOf<Principal>();
});

describe("options that cannot work are a TypeError at once", () => {
  const good = { issuer, audience, jwksUri };
  test.each<[string, unknown]>([
    ["no issuer", { ...good, issuer: "" }],
    ["no audience", { ...good, audience: undefined }],
    ["an audience that is no text", { ...good, audience: [audience] }],
    ["neither keys nor where they are", { issuer, audience }],
    ["both keys and where they are", { ...good, jwks: { keys: [one.publicJwk] } }],
    ["a relative address", { ...good, jwksUri: "/.well-known/jwks.json" }],
    ["a file", { ...good, jwksUri: "file:///jwks.json" }],
    ["plain http", { ...good, jwksUri: "http://auth.example.com/jwks.json" }],
    ["plain http to what only begins like this machine", { ...good, jwksUri: "http://127.0.0.1.example.com/" }],
    ["a negative tolerance", { ...good, clockToleranceSeconds: -1 }],
    ["a tolerance that is no number", { ...good, clockToleranceSeconds: "5" }],
    ["an age that is no number", { ...good, maxAgeSeconds: Number.NaN }],
    ["an endless cooldown", { ...good, cooldownSeconds: Number.POSITIVE_INFINITY }],
    ["a negative staleness", { ...good, staleSeconds: -1 }],
    ["half a cache", { ...good, cacheSize: 0.5 }],
    ["a short decryption key", { ...good, decryptionKey: "AAAA" }],
    ["a decryption key with padding", { ...good, decryptionKey: `${base64url.encode(new Uint8Array(32))}=` }],
    ["a decryption key of another kind", { ...good, decryptionKey: 7 }],
  ])("%s", (_, options) => {
    expect(() => createVerifier(options as VerifierOptions)).toThrow(TypeError);
  });

  test.each([
    jwksUri,
    new URL(jwksUri),
    "http://localhost:3000/jwks",
    "http://127.0.0.1:3000/jwks",
    "http://[::1]:3000/jwks",
  ])("but not %s", (uri) => {
    expect(() => createVerifier({ ...good, jwksUri: uri })).not.toThrow();
  });

  test("nor plain http where it is asked for", () => {
    expect(() => createVerifier({ ...good, jwksUri: "http://auth/jwks", allowInsecureHttp: true })).not.toThrow();
  });
});
