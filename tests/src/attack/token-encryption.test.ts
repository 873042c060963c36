/** Encrypted access tokens that a server did not make: to be sealed well is no proof, and what is sealed otherwise is not opened. */
import { createCipheriv, type KeyObject, randomBytes } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { CompactEncrypt, type CompactJWEHeaderParameters, compactDecrypt } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { isLong } from "../support/long-tests.ts";
import { signUp } from "../support/people.ts";
import { type TestApp, testApp } from "../support/test-app.ts";
import { startAttacker } from "./attacker.ts";
import { type Doors, doorsOf, openedBy, verifierOf } from "./doors.ts";
import { forgeriesOf, type Known, spellings } from "./forgeries.ts";
import { decode, encode } from "./jws.ts";
import { type OwnKeys, ownKeysOf } from "./own-keys.ts";

/** What signs within is of no weight for the seal. */
const algorithms = isLong ? (["EdDSA", "ES256", "RS256", "HS256"] as const) : (["EdDSA", "HS256"] as const);

/** A key of the attacker's. */
const theirs = randomBytes(32);

describe.each(algorithms)(
  "a server that signs with %s and encrypts",
  { timeout: isLong ? 600_000 : 60_000 },
  (algorithm) => {
    let app: TestApp;
    let doors: Doors;
    let own: OwnKeys;
    let good: string;
    let header: Record<string, unknown>;
    /** The token that is in the good one: what is refused with this in it is refused for its seal alone. */
    let inner: string;
    beforeAll(async () => {
      app = await testApp({ algorithm, encryptAccessTokens: true });
      own = await ownKeysOf(app);
      doors = doorsOf(app, algorithm === "HS256" ? null : verifierOf(app, [own.encryption]));
      good = (await signUp(app)).accessToken;
      header = decode(good.split(".")[0]);
      inner = Buffer.from((await compactDecrypt(good, own.encryption)).plaintext).toString();
      return () => app[Symbol.asyncDispose]();
    });

    /** With another header and another key. */
    const sealed = (more: object, key: Buffer = own.encryption, content: string | Buffer = inner) =>
      seal({ ...header, ...more }, content, key);

    /** By what jose can do beside `dir`. */
    const wrapped = (alg: string, key: KeyObject | Uint8Array, more: Partial<CompactJWEHeaderParameters> = {}) =>
      new CompactEncrypt(Buffer.from(inner))
        .setProtectedHeader({ ...header, alg, enc: "A256GCM", ...more })
        .setKeyManagementParameters({ p2c: 1_000 })
        .encrypt(key);

    it("opens nothing that was sealed with another key, or in another way", async () => {
      await using attacker = await startAttacker();
      const key = attacker.keys[0] ?? expect.fail("the attacker has no key");
      const { jwks } = attacker.urlsOf(key, String(header.kid));
      const byPassword = await wrapped("PBES2-HS512+A256KW", Buffer.from("secret"));
      const tokens: Readonly<Record<string, string>> = {
        "as it was made": sealed({}),
        "a key of zeros": sealed({}, Buffer.alloc(32)),
        "another key, which is in the header": sealed({ jwk: { kty: "oct", k: theirs.toString("base64url") } }, theirs),
        "another key, behind an address": sealed({ jku: jwks }, theirs),
        "no kid": sealed({ kid: undefined }),
        "kid of a list": sealed({ kid: [header.kid] }),
        "kid of another": sealed({ kid: `${header.kid}x` }),
        "no alg": sealed({ alg: undefined }),
        "alg none": sealed({ alg: "none" }),
        "alg twice": seal(`${JSON.stringify(header).slice(0, -1)},"alg":"A256KW"}`, inner, own.encryption),
        "no enc": sealed({ enc: undefined }),
        "enc of another": sealed({ enc: "A128CBC-HS256" }),
        "the same key, with another enc": await wrapped("dir", own.encryption, { enc: "A128CBC-HS256" }),
        crit: sealed({ crit: ["exp"], exp: 1 }),
        "empty crit": sealed({ crit: [] }),
        zip: sealed({ zip: "DEF" }, own.encryption, deflateRawSync(inner)),
        "no cty": sealed({ cty: undefined }),
        "cty of another": sealed({ cty: "at+jwt" }),
        "a wrapped key, and it is the same": good.replace("..", ".AA."),
        "the same key as A256KW": await wrapped("A256KW", own.encryption),
        "the same key as A256GCMKW": await wrapped("A256GCMKW", own.encryption),
        "the same key as a password": await wrapped("PBES2-HS256+A128KW", own.encryption),
        // Whoever counted so far would count for an hour.
        "a password, hashed two thousand million times": withHeader(byPassword, { p2c: 2_147_483_647 }),
        ...(await sealedForPublicKey()),
      };
      const named = new Map(Object.entries({ ...tokens, ...spellings({ token: good }) }));
      for (const [name, token] of named) if (token === good) named.delete(name);
      expect(await openedBy(named, doors)).toEqual({ "as it was made": Object.keys(doors) });
      expect(attacker.visits()).toBe(0);
    });

    /** For whoever has the private key: that is the server, which signs with it. Nothing can be sealed for the other kinds. */
    async function sealedForPublicKey(): Promise<Record<string, string>> {
      const algs = { RS256: ["RSA-OAEP", "RSA-OAEP-256"], ES256: ["ECDH-ES", "ECDH-ES+A256KW"], EdDSA: [], HS256: [] };
      return Object.fromEntries(
        await Promise.all(algs[algorithm].map(async (alg) => [alg, await wrapped(alg, own.verification)] as const)),
      );
    }

    it("believes a token that it opens no more than one that is not sealed", async () => {
      await using attacker = await startAttacker();
      const { keys: jwks } = await (await app.request("/.well-known/jwks.json")).json();
      const known: Known = { token: inner, jwks };
      const forgeries = new Map([...forgeriesOf(known, attacker)].filter((_, index) => isLong || index % 7 === 0));
      expect(await openedBy(forgeries, doors)).toEqual({});

      const [head, body, signature] = inner.split(".");
      const contents = Object.entries({
        ...Object.fromEntries(forgeries),
        "the claims alone": JSON.stringify(decode(body)),
        "no signature": `${encode({ ...decode(head), alg: "none" })}.${body}.`,
        "another body": `${head}.${encode({ ...decode(body), roles: ["admin"] })}.${signature}`,
        "a line's end behind it": `${inner}\n`,
        "nothing in it": "",
        "no text": Buffer.from([0xff, 0xfe]),
        "what is sealed already": good,
      });
      const seals = contents.map(([name, content]) => [name, sealed({}, own.encryption, content)] as const);
      expect(await openedBy(new Map(seals), doors)).toEqual({});
      expect(attacker.visits()).toBe(0);
      // Its own signature is proof enough: of before the server encrypted, or of a node that does not yet.
      expect(await openedBy(new Map([["what was in the seal", inner]]), doors)).toEqual({
        "what was in the seal": Object.keys(doors),
      });
    });
  },
);

/** A JWE by a key that both sides have (`dir`, A256GCM). A header that is text is taken as it stands. */
function seal(header: object | string, content: string | Buffer, key: Buffer): string {
  const head = encode(header);
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(head));
  const ciphertext = Buffer.concat([cipher.update(Buffer.from(content)), cipher.final()]);
  return [head, "", ...[iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString("base64url"))].join(".");
}

function withHeader(token: string, more: object): string {
  const [head, ...others] = token.split(".");
  return [encode({ ...decode(head), ...more }), ...others].join(".");
}
