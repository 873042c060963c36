import { inspect } from "node:util";
import type { AuthError, Reason } from "@countersign/shared";
import type { AccountId, SessionId } from "@countersign/shared/schemas";
import fc from "fast-check";
import { base64url, CompactEncrypt, CompactSign, decodeJwt, decodeProtectedHeader, importJWK } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type AccessTokenGrant,
  maxTokenLength,
  registeredClaims,
  signAccessToken,
  type VerifyAccessTokenOptions,
  verifyAccessToken,
} from "./access-token.ts";
import { importSigningKey } from "./import-signing-key.ts";
import {
  type EncryptionKey,
  generateKey,
  importEncryptionKey,
  importVerificationKey,
  type SigningAlgorithm,
  type SigningKey,
  signingAlgorithms,
  type VerificationKey,
} from "./signing-key.ts";

const now = 1_800_000_000_000;
const seconds = now / 1_000;
const issuer = "https://auth.example.com";
const audience = "https://api.example.com";

const grant: AccessTokenGrant = {
  accountId: "0198c2a1-7f7e-7000-8000-000000000001" as AccountId,
  username: "zoë",
  sessionId: "0198c2a1-7f7e-7000-8000-000000000002" as SessionId,
  clientId: "web",
  scopes: ["notes:read", "notes:write"],
  roles: ["admin"],
  version: 3,
  authTime: now - 60_000,
  amr: ["pwd"],
  claims: { team: { id: 7 } },
};

const signed = { issuer, audience, jti: "jti-1", issuedAt: seconds, expiresAt: seconds + 900 };

/** The claims of a good token; a test changes one. */
const goodClaims = {
  iss: issuer,
  aud: audience,
  sub: grant.accountId,
  client_id: "web",
  sid: grant.sessionId,
  jti: "jti-1",
  iat: seconds,
  exp: seconds + 900,
  auth_time: seconds - 60,
  amr: ["pwd"],
  scope: "notes:read",
  roles: ["admin"],
  ver: 3,
  preferred_username: "alice",
};

const keys = new Map<string, VerificationKey>();
const signers = {} as Record<SigningAlgorithm, SigningKey>;
/** The same key as that of the signer, for what no signer of ours would sign. */
let ed25519: CryptoKey;
let encryptionKey: EncryptionKey;
let good: string;
let encrypted: string;

beforeAll(async () => {
  for (const algorithm of signingAlgorithms) {
    const jwk = await generateKey((length) => crypto.getRandomValues(new Uint8Array(length)), algorithm);
    signers[algorithm] = importSigningKey(jwk, algorithm, algorithm);
    keys.set(algorithm, await importVerificationKey(jwk, algorithm, algorithm));
    if (algorithm === "EdDSA") ed25519 = (await importJWK(jwk, algorithm)) as CryptoKey;
  }
  encryptionKey = await importEncryptionKey(new Uint8Array(32).fill(1));
  good = await signAccessToken(signers.EdDSA, grant, signed);
  encrypted = await signAccessToken(signers.EdDSA, grant, { ...signed, encryptionKey });
});

function options(changes: Partial<VerifyAccessTokenOptions> = {}): VerifyAccessTokenOptions {
  return {
    keyFor: (kid) => keys.get(kid) ?? null,
    issuer,
    audience,
    now: () => now,
    clockToleranceSeconds: 5,
    decryptionKeys: [encryptionKey],
    ...changes,
  };
}

async function reasonOf(token: string, changes?: Partial<VerifyAccessTokenOptions>): Promise<Reason | "accepted"> {
  try {
    await verifyAccessToken(token, options(changes));
    return "accepted";
  } catch (error) {
    expect(error).toMatchObject({ name: "AuthError" });
    return (error as AuthError).reason;
  }
}

/** Signs any header and payload at all with the Ed25519 key, as jose itself would refuse to. */
async function forge(header: string | Uint8Array, payload: string | Uint8Array): Promise<string> {
  const input = `${base64url.encode(header)}.${base64url.encode(payload)}`;
  const signature = await crypto.subtle.sign("Ed25519", ed25519, new TextEncoder().encode(input));
  return `${input}.${base64url.encode(new Uint8Array(signature))}`;
}

const goodHeader = { alg: "EdDSA", kid: "EdDSA", typ: "at+jwt" };
const withClaims = (changes: object) =>
  forge(JSON.stringify(goodHeader), JSON.stringify({ ...goodClaims, ...changes }));
const withHeader = (changes: object) =>
  forge(JSON.stringify({ ...goodHeader, ...changes }), JSON.stringify(goodClaims));

describe("a good token", () => {
  test.each(signingAlgorithms)("signed with %s proves its principal", async (algorithm) => {
    const token = await signAccessToken(signers[algorithm], grant, signed);
    expect(await verifyAccessToken(token, options())).toEqual({
      accountId: grant.accountId,
      username: "zoë",
      sessionId: grant.sessionId,
      clientId: "web",
      scopes: ["notes:read", "notes:write"],
      roles: ["admin"],
      authTime: new Date(now - 60_000),
      amr: ["pwd"],
      version: 3,
      issuedAt: new Date(now),
      expiresAt: new Date(now + 900_000),
      claims: { team: { id: 7 } },
    });
  });

  test("has the header and the claims of RFC 9068", () => {
    expect(decodeProtectedHeader(good)).toEqual({ alg: "EdDSA", kid: "EdDSA", typ: "at+jwt" });
    expect(decodeJwt(good)).toEqual({
      ...goodClaims,
      preferred_username: "zoë",
      scope: "notes:read notes:write",
      team: { id: 7 },
    });
  });

  test("encrypted, shows nothing but how to open it", async () => {
    expect(encrypted.split(".")).toHaveLength(5);
    expect(decodeProtectedHeader(encrypted)).toEqual({
      alg: "dir",
      enc: "A256GCM",
      kid: encryptionKey.kid,
      cty: "JWT",
    });
    expect((await verifyAccessToken(encrypted, options())).username).toBe("zoë");
    expect(await reasonOf(encrypted, { decryptionKeys: [] })).toBe("TOKEN_INVALID");
    const other = await importEncryptionKey(new Uint8Array(32).fill(2));
    expect(await reasonOf(encrypted, { decryptionKeys: [other] })).toBe("TOKEN_INVALID");
    expect(await reasonOf(encrypted, { decryptionKeys: [{ ...other, kid: encryptionKey.kid }] })).toBe("TOKEN_INVALID");
  });

  test("may spell what the standards leave open", async () => {
    expect(await reasonOf(await withHeader({ typ: "application/at+jwt" }))).toBe("accepted");
    expect(await reasonOf(await withHeader({ typ: "AT+JWT" }))).toBe("accepted");
    expect(await reasonOf(await withClaims({ aud: ["https://other.example.com", audience] }))).toBe("accepted");
    expect(await reasonOf(await withClaims({ iat: seconds + 0.5 }))).toBe("accepted");
    expect(await reasonOf(await withClaims({ acr: "urn:example:silver", nbf: seconds }))).toBe("accepted");
    expect(await reasonOf(await withClaims({ scope: "", roles: [], amr: [] }))).toBe("accepted");
  });

  test("gives a principal that no request can change for the next", async () => {
    const principal = await verifyAccessToken(good, options());
    const parts = [
      principal,
      principal.scopes,
      principal.roles,
      principal.amr,
      principal.claims,
      principal.claims.team,
    ];
    expect(parts.every(Object.isFrozen)).toBe(true);
  });
});

describe("time", () => {
  test.each<[string, number, Reason | "accepted"]>([
    ["at its last moment within the tolerance", 904_999, "accepted"],
    ["past the tolerance", 905_000, "TOKEN_EXPIRED"],
    ["as early as the tolerance allows", -5_000, "accepted"],
    ["issued in the future", -5_001, "TOKEN_INVALID"],
  ])("a token %s", async (_, offset, expected) => {
    expect(await reasonOf(good, { now: () => now + offset })).toBe(expected);
  });

  test("a token that is older than the greatest age has expired, whatever it says", async () => {
    expect(await reasonOf(good, { now: () => now + 64_999, maxAgeSeconds: 60 })).toBe("accepted");
    expect(await reasonOf(good, { now: () => now + 65_000, maxAgeSeconds: 60 })).toBe("TOKEN_EXPIRED");
  });

  test("only a token that is good otherwise is called expired", async () => {
    const late = { now: () => now + 10_000_000 };
    expect(await reasonOf(good, late)).toBe("TOKEN_EXPIRED");
    expect(await reasonOf(encrypted, late)).toBe("TOKEN_EXPIRED");
    expect(await reasonOf(`${good.slice(0, -4)}AAAA`, late)).toBe("TOKEN_INVALID");
    expect(await reasonOf(good, { ...late, audience: "https://other.example.com" })).toBe("TOKEN_INVALID");
    expect(await reasonOf(good, { ...late, issuer: "https://other.example.com" })).toBe("TOKEN_INVALID");
    for (const claim of Object.keys(goodClaims).filter((name) => name !== "exp")) {
      expect(await reasonOf(await withClaims({ [claim]: undefined }), late)).toBe("TOKEN_INVALID");
    }
  });
});

describe("refused for its claims", () => {
  const notText = [undefined, null, 7, "", "\ud800", ["x"], {}];
  const notTextList = [undefined, null, "admin", [7], [null], ["\ud800"], {}];
  const notDate = [undefined, null, "1800000000", -1, 8.64e12 + 1, [seconds], {}];
  const table: Record<string, readonly unknown[]> = {
    iss: [...notText, `${issuer}/`, issuer.toUpperCase(), `${issuer}.evil.example`, issuer.slice(0, -1), [issuer]],
    aud: [...notText, `${audience}/`, audience.slice(0, -1), [], [`${audience}/`], [audience, 7], { [audience]: true }],
    sub: [...notText, "x".repeat(129)],
    client_id: notText,
    sid: [...notText, "not-a-uuid", `${grant.sessionId}0`, `0${grant.sessionId}`],
    jti: notText,
    preferred_username: notText,
    iat: [...notDate, seconds + 6, seconds + 900, seconds + 901],
    exp: [...notDate, seconds, seconds - 1],
    auth_time: [...notDate, seconds + 6],
    nbf: [null, "0", -1, seconds + 6],
    acr: [null, 7, "", ["x"]],
    amr: notTextList,
    roles: notTextList,
    scope: [undefined, null, 7, "\ud800", ["notes:read"], " ", " a", "a ", "a  b", 'a"b', "a\\b", "a\nb", "é"],
    ver: [undefined, null, "3", -1, 1.5, 2 ** 53, [3]],
  };
  const rows = Object.entries(table).flatMap(([claim, values]) => values.map((value) => ({ claim, value })));

  test.each(rows)("$claim: $value", async ({ claim, value }) => {
    expect(await reasonOf(await withClaims({ [claim]: value }))).toBe("TOKEN_INVALID");
  });

  test("a token with the same claims unchanged is accepted", async () => {
    expect(await reasonOf(await withClaims({}))).toBe("accepted");
  });

  test.each<[string, string | Uint8Array]>([
    ["no JSON", "claims"],
    ["an empty object", "{}"],
    ["a list", JSON.stringify([goodClaims])],
    ["null", "null"],
    ["a text", '"claims"'],
    ["a byte order mark first", `\ufeff${JSON.stringify(goodClaims)}`],
    ["something after the object", `${JSON.stringify(goodClaims)}{}`],
    ["no UTF-8", Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
    ["no UTF-8 in a name", Buffer.from(JSON.stringify({ ...goodClaims, preferred_username: "é" }), "latin1")],
    ["claims that are only inherited", `{"__proto__":${JSON.stringify(goodClaims)}}`],
  ])("a payload with %s", async (_, payload) => {
    expect(await reasonOf(await forge(JSON.stringify(goodHeader), payload))).toBe("TOKEN_INVALID");
  });
});

describe("refused for its header", () => {
  test.each<[string, object]>([
    ["an unknown kid", { kid: "nobody" }],
    ["no kid", { kid: undefined }],
    ["a kid that is no text", { kid: 7 }],
    ["a kid that is a name of every object", { kid: "constructor" }],
    ["crit", { crit: ["exp"] }],
    ["an empty crit", { crit: [] }],
    ["crit with b64, which jose understands", { crit: ["b64"], b64: true }],
    ["b64 that is false: the signature is good for another payload too", { b64: false }],
    ["zip, by which others read another payload", { zip: "DEF" }],
    ["no typ", { typ: undefined }],
    ["typ JWT", { typ: "JWT" }],
    ["typ of an ID token", { typ: "id+jwt" }],
    ["typ of another type that ends alike", { typ: "x/at+jwt" }],
    ["typ that is no text", { typ: ["at+jwt"] }],
    ["no alg", { alg: undefined }],
    ["alg none", { alg: "none" }],
    ["alg None", { alg: "None" }],
    ["alg HS256", { alg: "HS256" }],
    ["alg RS256", { alg: "RS256" }],
    ["alg Ed25519, which is the same algorithm under another name", { alg: "Ed25519" }],
    ["alg that is no text", { alg: ["EdDSA"] }],
    ["the kid of another key", { kid: "ES256" }],
    ["the kid of a secret", { kid: "HS256" }],
  ])("%s", async (_, changes) => {
    expect(await reasonOf(await withHeader(changes))).toBe("TOKEN_INVALID");
  });

  test("a header that is only inherited", async () => {
    const header = `{"__proto__":${JSON.stringify(goodHeader)}}`;
    expect(await reasonOf(await forge(header, JSON.stringify(goodClaims)))).toBe("TOKEN_INVALID");
  });

  test("alg none without a signature", async () => {
    const header = base64url.encode(JSON.stringify({ ...goodHeader, alg: "none" }));
    const payload = base64url.encode(JSON.stringify(goodClaims));
    expect(await reasonOf(`${header}.${payload}.`)).toBe("TOKEN_INVALID");
    expect(await reasonOf(`${header}.${payload}`)).toBe("TOKEN_INVALID");
    expect(await reasonOf(`${header}.${payload}.${good.split(".")[2]}`)).toBe("TOKEN_INVALID");
  });

  test("a public key used as an HMAC secret", async () => {
    const spki = new Uint8Array(await crypto.subtle.exportKey("spki", keys.get("RS256")?.key as CryptoKey));
    const body = Buffer.from(spki).toString("base64").replace(/.{64}/g, "$&\n");
    const pem = `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n`;
    for (const secret of [spki, new TextEncoder().encode(pem)]) {
      const token = await new CompactSign(new TextEncoder().encode(JSON.stringify(goodClaims)))
        .setProtectedHeader({ alg: "HS256", kid: "RS256", typ: "at+jwt" })
        .sign(secret);
      expect(await reasonOf(token)).toBe("TOKEN_INVALID");
    }
  });

  test("another key of the same algorithm", async () => {
    const jwk = await generateKey((length) => new Uint8Array(length), "EdDSA");
    const token = await signAccessToken(importSigningKey(jwk, "EdDSA", "EdDSA"), grant, signed);
    expect(await reasonOf(token)).toBe("TOKEN_INVALID");
  });
});

describe("refused for its form", () => {
  test("any of these, without a key being looked for", async () => {
    const asked: unknown[] = [];
    const keyFor = (kid: string) => {
      asked.push(kid);
      return keys.get(kid) ?? null;
    };
    const [header = "", payload = "", signature = ""] = good.split(".");
    const malformed = [
      `${good}.${signature}`,
      `${header}.${payload}.`,
      `${header}..${signature}`,
      `${good}=`,
      await withHeader({ kid: 7 }),
      await withHeader({ alg: undefined }),
      await withHeader({ typ: "JWT" }),
      await withHeader({ crit: ["exp"] }),
    ];
    for (const token of malformed) expect(await reasonOf(token, { keyFor })).toBe("TOKEN_INVALID");
    expect(asked).toEqual([]);
  });

  test("a token of any other number of segments", async () => {
    const [header, payload, signature] = good.split(".");
    for (const token of [
      "",
      ".",
      "..",
      "....",
      header,
      `${header}.${payload}`,
      `${good}.`,
      `.${good}`,
      `${good}.${signature}`,
    ]) {
      expect(await reasonOf(token as string)).toBe("TOKEN_INVALID");
    }
  });

  test("what is no text", async () => {
    for (const token of [undefined, null, 7, {}, [good], new TextEncoder().encode(good)]) {
      expect(await reasonOf(token as unknown as string)).toBe("TOKEN_INVALID");
    }
  });

  test.each(["header", "payload", "signature"])("a %s that is not canonical unpadded base64url", async (name) => {
    const index = ["header", "payload", "signature"].indexOf(name);
    // A key pair of its own, over each spelling: so that only the spelling is wrong, and the signature is good.
    for (const respell of respellings) {
      const segments = [JSON.stringify(goodHeader), JSON.stringify(goodClaims)].map((text) => base64url.encode(text));
      if (index < 2) segments[index] = respell(segments[index] ?? "");
      const input = segments.join(".");
      const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", ed25519, new TextEncoder().encode(input)));
      const encoded = base64url.encode(signature);
      const token = `${input}.${index === 2 ? respell(encoded) : encoded}`;
      expect(await reasonOf(token), token).toBe("TOKEN_INVALID");
    }
  });

  test("a token of more than 8 KiB", async () => {
    const claims = (length: number) => withClaims({ filler: "x".repeat(length) });
    const spare = maxTokenLength - (await claims(0)).length;
    const fitting = await claims(Math.floor((spare * 3) / 4) - 2);
    expect(fitting.length).toBeLessThanOrEqual(maxTokenLength);
    expect(await reasonOf(fitting)).toBe("accepted");
    expect(await reasonOf(await claims(Math.ceil((spare * 3) / 4) + 2))).toBe("TOKEN_INVALID");
  });

  test("JSON that is nested deeply", async () => {
    const nested = `${"[".repeat(2_800)}${"]".repeat(2_800)}`;
    const payload = `${JSON.stringify(goodClaims).slice(0, -1)},"deep":${nested}}`;
    expect(["TOKEN_INVALID", "accepted"]).toContain(await reasonOf(await forge(JSON.stringify(goodHeader), payload)));
  });
});

describe("refused for its encryption", () => {
  async function wrap(header: object, plaintext = good): Promise<string> {
    const all = { alg: "dir", enc: "A256GCM", kid: encryptionKey.kid, cty: "JWT", ...header };
    return new CompactEncrypt(new TextEncoder().encode(plaintext))
      .setProtectedHeader(all)
      .encrypt(new Uint8Array(32).fill(1));
  }

  test("nothing, when it is as we make it", async () => {
    expect(await reasonOf(await wrap({}))).toBe("accepted");
  });

  test.each<[string, object]>([
    ["another kid", { kid: "other" }],
    ["no kid", { kid: undefined }],
    ["another content type", { cty: "text/plain" }],
    ["no content type", { cty: undefined }],
    ["compression", { zip: "DEF" }],
  ])("%s", async (_, header) => {
    expect(await reasonOf(await wrap(header))).toBe("TOKEN_INVALID");
  });

  test("another way to encrypt with the same key", async () => {
    for (const alg of ["A256KW", "A256GCMKW"]) expect(await reasonOf(await wrap({ alg }))).toBe("TOKEN_INVALID");
    const bytes = new TextEncoder().encode(good);
    const header = { alg: "dir", enc: "A128CBC-HS256", kid: encryptionKey.kid, cty: "JWT" };
    const token = await new CompactEncrypt(bytes).setProtectedHeader(header).encrypt(new Uint8Array(32).fill(1));
    expect(await reasonOf(token)).toBe("TOKEN_INVALID");
  });

  test("crit", async () => {
    // jose would not make one, so by hand.
    const header = { alg: "dir", enc: "A256GCM", kid: encryptionKey.kid, cty: "JWT" };
    expect(await reasonOf(await encryptByHand(header))).toBe("accepted");
    for (const crit of [["exp"], ["b64"], []]) {
      expect(await reasonOf(await encryptByHand({ ...header, crit, exp: 1, b64: true }))).toBe("TOKEN_INVALID");
    }
  });

  async function encryptByHand(header: object): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const encoded = base64url.encode(JSON.stringify(header));
    const additionalData = new TextEncoder().encode(encoded);
    const plaintext = new TextEncoder().encode(good);
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, encryptionKey.key, plaintext);
    const [ciphertext, tag] = [new Uint8Array(sealed.slice(0, -16)), new Uint8Array(sealed.slice(-16))];
    return [encoded, "", ...[iv, ciphertext, tag].map((bytes) => base64url.encode(bytes))].join(".");
  }

  test("an encrypted key, where none belongs", async () => {
    const [header, , ...others] = encrypted.split(".");
    expect(await reasonOf([header, "AAAA", ...others].join("."))).toBe("TOKEN_INVALID");
  });

  test("what is inside is not a good token", async () => {
    for (const inner of ["", "text", `${good.slice(0, -4)}AAAA`, encrypted, await wrap({})]) {
      expect(await reasonOf(await wrap({}, inner))).toBe("TOKEN_INVALID");
    }
  });

  test("a segment that is not canonical unpadded base64url", async () => {
    for (const index of [0, 2, 3, 4]) {
      for (const respell of respellings) {
        const segments = encrypted.split(".");
        segments[index] = respell(segments[index] ?? "");
        expect(await reasonOf(segments.join("."))).toBe("TOKEN_INVALID");
      }
    }
  });
});

/** Other spellings that lenient decoders read as the same bytes, or none. */
const respellings: readonly ((segment: string) => string)[] = [
  (segment) => `${segment}=`,
  (segment) => `${segment}==`,
  (segment) => `${segment}\n`,
  (segment) => ` ${segment}`,
  (segment) => `${segment.slice(0, 4)} ${segment.slice(4)}`,
  (segment) => `${segment}A`,
  (segment) => (/[-_]/.test(segment) ? segment.replace("-", "+").replace("_", "/") : `${segment}+`),
  (segment) => (segment.length % 4 === 0 ? `${segment}=` : withStrayBits(segment)),
  () => "",
];

function withStrayBits(segment: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return segment.slice(0, -1) + alphabet[alphabet.indexOf(segment.at(-1) ?? "") + 1];
}

describe("any token at all", () => {
  test("a good token with any one character changed, added or taken away is refused", async () => {
    const character = fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0é");
    const edit = fc.record({
      encrypted: fc.boolean(),
      at: fc.nat(),
      taken: fc.integer({ min: 0, max: 3 }),
      added: fc.string({ unit: character, maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(edit, async (change) => {
        const token = change.encrypted ? encrypted : good;
        const at = change.at % (token.length + 1);
        const edited = token.slice(0, at) + change.added + token.slice(at + change.taken);
        fc.pre(edited !== token);
        expect(await reasonOf(edited)).toBe("TOKEN_INVALID");
      }),
      { numRuns: 3_000 },
    );
  });

  test("a good token with any one bit of its bytes changed is refused", async () => {
    for (const token of [good, encrypted]) {
      const segments = token.split(".");
      for (const [index, segment] of segments.entries()) {
        const bytes = base64url.decode(segment);
        for (let bit = 0; bit < bytes.length * 8; bit += 7) {
          const changed = bytes.slice();
          changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          const forged = segments.with(index, base64url.encode(changed)).join(".");
          expect(await reasonOf(forged)).toBe("TOKEN_INVALID");
        }
      }
    }
  });

  test("segments of two good tokens are not a good token", async () => {
    const other = await signAccessToken(signers.EdDSA, { ...grant, username: "mallory" }, signed);
    const [header, payload] = other.split(".");
    expect(await reasonOf([header, payload, good.split(".")[2]].join("."))).toBe("TOKEN_INVALID");
  });

  test("an arbitrary text, or arbitrary JSON in segments, throws nothing but a refusal", async () => {
    const segment = fc.oneof(
      fc.json().map((text) => base64url.encode(text)),
      fc.base64String().map((text) => text.replaceAll("=", "")),
      fc.constant(good.split(".")[0] as string),
      fc.constant(encrypted.split(".")[0] as string),
      fc.constant(""),
    );
    const token = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => segments.join(".")),
    );
    await fc.assert(
      fc.asyncProperty(token, async (text) => {
        expect(await reasonOf(text)).toBe("TOKEN_INVALID");
      }),
      { numRuns: 3_000 },
    );
  });

  test("any JSON as the payload of a signed token throws nothing but a refusal", async () => {
    const claim = fc.constantFrom(...Object.keys(goodClaims), "nbf", "acr", "__proto__", "constructor");
    await fc.assert(
      fc.asyncProperty(fc.dictionary(claim, fc.jsonValue(), { maxKeys: 3 }), async (changes) => {
        const reason = await reasonOf(await withClaims(changes));
        expect(["TOKEN_INVALID", "TOKEN_EXPIRED", "accepted"]).toContain(reason);
      }),
      { numRuns: 1_000 },
    );
  });

  test("no refusal tells anything of the token, but its issuer and audience to the developer", async () => {
    const secret = "canary-7f3a";
    const tokens = [
      await withClaims({ iss: "https://another.example", note: secret }),
      await withClaims({ exp: seconds - 1, iat: seconds - 9, auth_time: seconds - 9, note: secret }),
      await withHeader({ kid: secret }),
      await withHeader({ crit: [secret] }),
      await forge(secret, secret),
      secret,
    ];
    for (const token of tokens) {
      const error = await verifyAccessToken(token, options({ clockToleranceSeconds: 0 })).catch((caught) => caught);
      expect(error).toMatchObject({ name: "AuthError" });
      expect(`${inspect(error)}${JSON.stringify(error)}`).not.toMatch(/canary|ey[A-Z]/);
    }
  });
});

describe("the application's claims", () => {
  test("arrive, whatever their names mean to JavaScript", async () => {
    const own = { constructor: "c", toString: 1, hasOwnProperty: null, "https://example.com/plan": ["pro"] };
    const token = await signAccessToken(signers.EdDSA, { ...grant, claims: own }, signed);
    expect({ ...(await verifyAccessToken(token, options())).claims }).toEqual(own);
  });

  test("of another issuer reach no prototype", async () => {
    const payload = `${JSON.stringify(goodClaims).slice(0, -1)},"__proto__":{"admin":true}}`;
    const { claims } = await verifyAccessToken(await forge(JSON.stringify(goodHeader), payload), options());
    expect(Object.getPrototypeOf(claims)).toBeNull();
    expect(claims.admin).toBeUndefined();
    expect(Object.keys(claims)).toEqual([]);
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });

  test("may have any name but a registered one", async () => {
    for (const name of [...registeredClaims, "__proto__"]) {
      const claims = Object.fromEntries([[name, "x"]]);
      expect(() => signAccessToken(signers.EdDSA, { ...grant, claims }, signed)).toThrow(TypeError);
    }
  });

  test("never include a registered one", async () => {
    const extra = Object.fromEntries(
      [...registeredClaims].filter((name) => !(name in goodClaims)).map((name) => [name, "1"]),
    );
    const { claims } = await verifyAccessToken(await withClaims({ ...extra, nbf: 0 }), options());
    expect(Object.keys(claims)).toEqual([]);
  });

  test.each(signingAlgorithms.flatMap((algorithm) => [true, false].map((isEncrypted) => ({ algorithm, isEncrypted }))))(
    "that make a token too long to be verified are refused before it is signed: $algorithm, encrypted: $isEncrypted",
    async ({ algorithm, isEncrypted }) => {
      const own = { ...signed, encryptionKey: isEncrypted ? encryptionKey : null };
      const sign = (length: number) =>
        signAccessToken(signers[algorithm], { ...grant, claims: { filler: "x".repeat(length) } }, own);
      const longest = async (low: number, high: number): Promise<number> => {
        const middle = Math.ceil((low + high) / 2);
        if (low === high) return low;
        try {
          await sign(middle);
        } catch {
          return longest(low, middle - 1);
        }
        return longest(middle, high);
      };
      const most = await longest(0, maxTokenLength);
      // Four characters carry three bytes, and when it is encrypted too, three of those nine: so near is the longest.
      expect((await sign(most)).length).toBeGreaterThan(maxTokenLength - 3);
      expect((await sign(most)).length).toBeLessThanOrEqual(maxTokenLength);
      expect(() => sign(most + 1)).toThrow(TypeError);
    },
  );
});
