import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { base64url, type JWK } from "jose";
import { expect, test } from "vitest";
import { importSigningKey } from "./import-signing-key.ts";
import {
  algorithmOf,
  checkPublicJwk,
  generateKey,
  importEncryptionKey,
  importVerificationKey,
  publicPart,
  signingAlgorithms,
} from "./signing-key.ts";

const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));

function rsa(modulusLength: number, publicExponent: number): JWK {
  return generateKeyPairSync("rsa", { modulusLength, publicExponent }).publicKey.export({ format: "jwk" }) as JWK;
}

test.each(signingAlgorithms)(
  "a key made for %s can be imported, and its private part cannot be taken out",
  async (algorithm) => {
    const jwk = await generateKey(randomBytes, algorithm);
    const signing = importSigningKey(jwk, "k", algorithm);
    const verification = await importVerificationKey(jwk, "k", algorithm);
    expect(signing).toMatchObject({ kid: "k", algorithm });
    for (const secret of [jwk.d, jwk.k, jwk.p].filter((part) => part !== undefined)) {
      expect(inspect(signing, { depth: 9, showHidden: true })).not.toContain(secret);
    }
    expect(verification).toMatchObject({ kid: "k", algorithm, key: { usages: ["verify"] } });
  },
);

test.each(["EdDSA", "ES256", "RS256"] as const)(
  "the public part of an %s key has nothing secret in it",
  async (algorithm) => {
    const jwk = publicPart(await generateKey(randomBytes, algorithm), "k", algorithm);
    expect(jwk).toMatchObject({ kid: "k", alg: algorithm, use: "sig" });
    expect(
      Object.keys(jwk ?? {})
        .sort()
        .join(" "),
    ).toMatch(/^alg( crv)?( e)? kid kty( n)? use( x)?( y)?$/);
  },
);

test("an HS256 secret has no public part", async () => {
  expect(publicPart(await generateKey(randomBytes, "HS256"), "k", "HS256")).toBeNull();
});

test.each<[string, JWK]>([
  ["an RSA key of 1024 bits", rsa(1024, 65537)],
  ["an RSA key of 2047 bits", { ...rsa(2048, 65537), n: withoutTopBit(rsa(2048, 65537).n ?? "") }],
  ["an RSA key of 1024 bits behind zeros", { ...rsa(1024, 65537), n: behindZeros(rsa(1024, 65537).n ?? "") }],
  ["an RSA exponent of 3", rsa(2048, 3)],
  ["an RSA exponent of 65535", { ...rsa(2048, 65537), e: "__8" }],
  ["an RSA key without a modulus", { kty: "RSA", e: "AQAB" }],
  ["an RSA key whose modulus is no base64url", { kty: "RSA", n: "+/+/", e: "AQAB" }],
  ["an RSA key whose modulus is zero", { kty: "RSA", n: "AAAA", e: "AQAB" }],
  ["a key on another curve", { kty: "EC", crv: "P-384", x: "AA", y: "AA" }],
  ["a key of another kind", { kty: "oct", k: "AA" }],
])("%s is refused", async (_, jwk) => {
  expect(() => checkPublicJwk(jwk, "RS256")).toThrow(TypeError);
  await expect(importVerificationKey(jwk, "k", "RS256")).rejects.toThrow(TypeError);
  expect(() => importSigningKey(jwk, "k", "RS256")).toThrow(TypeError);
});

test("an RSA key of 2048 bits with the exponent 65537 is accepted", () => {
  expect(() => checkPublicJwk(rsa(2048, 65537), "RS256")).not.toThrow();
});

test("a key is for one algorithm only", async () => {
  const jwk = await generateKey(randomBytes, "EdDSA");
  expect(algorithmOf(jwk)).toBe("EdDSA");
  for (const algorithm of ["ES256", "RS256", "HS256"] as const) {
    await expect(importVerificationKey(jwk, "k", algorithm)).rejects.toThrow(TypeError);
    expect(() => importSigningKey(jwk, "k", algorithm)).toThrow(TypeError);
  }
});

const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ed25519 = generateKeyPairSync("ed25519");
test.each<[string, string | Uint8Array]>([
  ["a public key in PEM", publicKey.export({ format: "pem", type: "spki" }) as string],
  ["a public key in PEM after a line", `\n ${publicKey.export({ format: "pem", type: "spki" })}`],
  ["a public key in DER (SPKI)", publicKey.export({ format: "der", type: "spki" })],
  ["a public key in DER (PKCS #1)", publicKey.export({ format: "der", type: "pkcs1" })],
  ["an Ed25519 public key in DER", ed25519.publicKey.export({ format: "der", type: "spki" })],
  ["a private key in DER (PKCS #8)", ed25519.privateKey.export({ format: "der", type: "pkcs8" })],
  ["a public key as a JWK", JSON.stringify(ed25519.publicKey.export({ format: "jwk" }))],
  ["a public key as OpenSSH has it", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPfNS1hkBJ0z0Z6YJTSxqwHpS"],
  ["31 bytes", new Uint8Array(31).fill(200)],
])("%s is refused as an HS256 secret", async (_, secret) => {
  const jwk = { kty: "oct", k: base64url.encode(secret) };
  await expect(importVerificationKey(jwk, "k", "HS256")).rejects.toThrow(TypeError);
  expect(() => importSigningKey(jwk, "k", "HS256")).toThrow(TypeError);
});

test.each([
  ["a DER key", [0x30, 30, 0x30]],
  ["a JWK", [0x7b, 0x22]],
])("32 random bytes are an HS256 secret, even when they begin like %s", async (_, head) => {
  const secret = Uint8Array.of(...head, ...randomBytes(32 - head.length));
  expect(importSigningKey({ kty: "oct", k: base64url.encode(secret) }, "k", "HS256").algorithm).toBe("HS256");
});

test("an encryption key has 32 bytes, and is named by its thumbprint", async () => {
  await expect(importEncryptionKey(new Uint8Array(31))).rejects.toThrow(TypeError);
  const key = await importEncryptionKey(new Uint8Array(32));
  expect(key.kid).toMatch(/^[\w-]{43}$/);
  expect(key.kid).toBe((await importEncryptionKey(new Uint8Array(32))).kid);
});

function withoutTopBit(n: string): string {
  const bytes = Buffer.from(n, "base64url");
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString("base64url");
}

function behindZeros(n: string): string {
  return Buffer.concat([new Uint8Array(256), Buffer.from(n, "base64url")]).toString("base64url");
}
