/** Signing, which only the server does: by Node's own crypto, and not by WebCrypto, for the reason that is given below. */
import { createHmac, createPrivateKey, type KeyObject, sign as signWith } from "node:crypto";
import { promisify } from "node:util";
import type { JWK } from "jose";
import { checkPublicJwk, type SigningAlgorithm, type SigningKey, secretOf } from "./signing-key.ts";

/**
 * Imports the private part of a key, or the secret of an HS256 key, which stays inside.
 *
 * @throws TypeError for another kind of key, and for a weak one.
 */
export function importSigningKey(jwk: JWK, kid: string, algorithm: SigningAlgorithm): SigningKey {
  const { signatureLength, sign } = algorithm === "HS256" ? hmacSigner(secretOf(jwk)) : signer(jwk, algorithm);
  return {
    kid,
    algorithm,
    signatureLength,
    async sign(typ, payload) {
      const header = JSON.stringify({ alg: algorithm, kid, typ });
      const input = `${base64url(header)}.${base64url(payload)}`;
      return `${input}.${base64url(await sign(Buffer.from(input)))}`;
    },
  };
}

interface Signer {
  readonly signatureLength: number;
  sign(input: Buffer): Buffer | Promise<Buffer>;
}

const inAnotherThread = promisify(signWith);

/**
 * In another thread, while this one writes the session's row: a signature by an elliptic curve takes 40 to 60 µs, and to ask for
 * it and to hear of it 9 (by WebCrypto that is 45). RSA takes ten times as long.
 */
function signer(jwk: JWK, algorithm: Exclude<SigningAlgorithm, "HS256">): Signer {
  checkPublicJwk(jwk, algorithm);
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  switch (algorithm) {
    // RFC 8037 §3.1
    case "EdDSA":
      return { signatureLength: 64, sign: (input) => inAnotherThread(null, input, key) };
    // RFC 7518 §3.4
    case "ES256":
      return {
        signatureLength: 64,
        sign: (input) => inAnotherThread("sha256", input, { key, dsaEncoding: "ieee-p1363" }),
      };
    // RFC 7518 §3.3
    case "RS256":
      return { signatureLength: modulusLength(key) / 8, sign: (input) => inAnotherThread("sha256", input, key) };
  }
}

/** RFC 7518 §3.2 */
function hmacSigner(secret: Uint8Array): Signer {
  return { signatureLength: 32, sign: (input) => createHmac("sha256", secret).update(input).digest() };
}

function modulusLength(key: KeyObject): number {
  const { modulusLength } = key.asymmetricKeyDetails ?? {};
  if (modulusLength === undefined) throw new TypeError("the key is not one for RS256");
  return modulusLength;
}

function base64url(data: string | Buffer): string {
  return (typeof data === "string" ? Buffer.from(data) : data).toString("base64url");
}
