/** The keys that sign and check access tokens: made, refused when weak, and imported once. */
import { base64url, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";

/** The algorithms that access tokens may be signed with. */
export const signingAlgorithms = ["EdDSA", "ES256", "RS256", "HS256"] as const;

/** How access tokens are signed: `EdDSA` (Ed25519), `ES256`, `RS256`, or `HS256` with a shared secret. */
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

/** A key that checks access tokens, ready for use. */
export interface VerificationKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly key: CryptoKey;
}

/** A key that signs access tokens, ready for use. */
export interface SigningKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  /** In bytes. */
  readonly signatureLength: number;
  /** Makes a JWS in its compact form (RFC 7515 §7.1), whose header says the algorithm, the key and the type. */
  sign(typ: string, payload: string): Promise<string>;
}

/** The public part of a signing key, as the JWKS shows it (RFC 7517). */
export interface PublicJwk extends JWK {
  readonly kty: string;
  readonly kid: string;
  readonly alg: string;
  readonly use: "sig";
}

/** The key of encrypted access tokens: A256GCM, used directly. */
export interface EncryptionKey {
  /** The thumbprint of the key (RFC 7638), so that both sides name it alike. */
  readonly kid: string;
  readonly key: CryptoKey;
}

// 112 bits of strength (NIST SP 800-57), and 0.4 of the cost of 3072 bits at each sign-in and refresh. That is enough for
// a key that is replaced every 90 days and signs what lives for minutes.
const rsaModulusLength = 2048;
const hmacSecretLength = 32;

/**
 * Makes the private JWK of a new key. The random bytes of a key pair are the platform's: WebCrypto takes no others.
 *
 * @param randomBytes The source of an HS256 secret.
 */
export async function generateKey(
  randomBytes: (length: number) => Uint8Array,
  algorithm: SigningAlgorithm,
): Promise<JWK> {
  if (algorithm === "HS256") return { kty: "oct", k: base64url.encode(randomBytes(hmacSecretLength)) };
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true, modulusLength: rsaModulusLength });
  return exportJWK(privateKey);
}

/** The public part of a private JWK, named for the JWKS; `null` for a secret, which has none. */
export function publicPart(jwk: JWK, kid: string, algorithm: SigningAlgorithm): PublicJwk | null {
  const { kty, crv, x, y, n, e } = jwk;
  const named = { kid, alg: algorithm, use: "sig" } as const;
  switch (kty) {
    case "OKP":
      return { kty, crv, x, ...named } as PublicJwk;
    case "EC":
      return { kty, crv, x, y, ...named } as PublicJwk;
    case "RSA":
      return { kty, n, e, ...named } as PublicJwk;
    default:
      return null;
  }
}

/** Imports the public part of a key, or the secret of an HS256 key. */
export async function importVerificationKey(
  jwk: JWK,
  kid: string,
  algorithm: SigningAlgorithm,
): Promise<VerificationKey> {
  if (algorithm === "HS256") {
    const hmac = { name: "HMAC", hash: "SHA-256" };
    return { kid, algorithm, key: await crypto.subtle.importKey("raw", secretOf(jwk), hmac, false, ["verify"]) };
  }
  checkPublicJwk(jwk, algorithm);
  const key = await importJWK(publicPart(jwk, kid, algorithm) ?? jwk, algorithm);
  return { kid, algorithm, key: key as CryptoKey };
}

/**
 * Checks that a JWK can be a key of the algorithm, and is not weak.
 *
 * @throws TypeError for another kind of key, for RSA under 2048 bits, and for an RSA exponent under 65537.
 */
export function checkPublicJwk(jwk: JWK, algorithm: SigningAlgorithm): void {
  if (algorithmOf(jwk) !== algorithm) throw new TypeError(`the key is not one for ${algorithm}`);
  if (jwk.kty !== "RSA") return;
  if (bitLength(jwk.n) < 2048) throw new TypeError("an RSA key must have at least 2048 bits (RFC 7518 §3.3)");
  // 65537 is the first exponent with 17 bits (FIPS 186-5 §A.1.1 asks for more than 2^16).
  if (bitLength(jwk.e) < 17) throw new TypeError("the exponent of an RSA key must be at least 65537");
}

/** The algorithm that a public JWK is for, by its kind; `null` for a key that cannot check access tokens. */
export function algorithmOf(jwk: JWK): SigningAlgorithm | null {
  if (jwk.kty === "OKP" && jwk.crv === "Ed25519") return "EdDSA";
  if (jwk.kty === "EC" && jwk.crv === "P-256") return "ES256";
  if (jwk.kty === "RSA") return "RS256";
  return null;
}

/**
 * Imports the key of encrypted access tokens.
 *
 * @throws TypeError unless the key has 32 bytes.
 */
export async function importEncryptionKey(bytes: Uint8Array<ArrayBuffer>): Promise<EncryptionKey> {
  if (bytes.length !== 32) throw new TypeError("an encryption key must have 32 bytes");
  const [kid, key] = await Promise.all([
    calculateJwkThumbprint({ kty: "oct", k: base64url.encode(bytes) }),
    crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]),
  ]);
  return { kid, key };
}

/**
 * The secret of an HS256 key.
 *
 * @throws TypeError for a key of another kind, for a secret under 32 bytes (RFC 7518 §3.2), and for a key of another kind used
 *   as a secret: whoever knows a public key could sign with it.
 */
export function secretOf(jwk: JWK): Uint8Array<ArrayBuffer> {
  if (jwk.kty !== "oct" || typeof jwk.k !== "string") throw new TypeError("the key is not one for HS256");
  const secret = new Uint8Array(base64url.decode(jwk.k));
  if (secret.length < hmacSecretLength) throw new TypeError("an HS256 secret must have at least 32 bytes");
  if (looksLikeKey(secret)) throw new TypeError("an HS256 secret must be random bytes, not a key of another kind");
  return secret;
}

/** The bits of a big-endian number in base64url, without leading zeros; 0 for anything else. */
function bitLength(text: unknown): number {
  if (typeof text !== "string") return 0;
  const bytes = decodeOrEmpty(text);
  const first = bytes.findIndex((byte) => byte !== 0);
  if (first < 0) return 0;
  return (bytes.length - first) * 8 - Math.clz32(bytes[first] ?? 0) + 24;
}

function decodeOrEmpty(text: string): Uint8Array {
  try {
    return base64url.decode(text);
  } catch {
    return new Uint8Array();
  }
}

/** PEM, an OpenSSH line, a JWK, or DER (SPKI, PKCS #1, PKCS #8, X.509: one SEQUENCE that begins with a SEQUENCE or an INTEGER). */
function looksLikeKey(secret: Uint8Array): boolean {
  if (/^\s*(?:-----BEGIN |ssh-|ecdsa-|\{.*"kty")/s.test(new TextDecoder().decode(secret))) return true;
  if (secret[0] !== 0x30 || secret.length <= hmacSecretLength) return false;
  const long = (secret[1] ?? 0) & 0x80 ? (secret[1] ?? 0) & 0x7f : 0;
  const length = long ? secret.subarray(2, 2 + long).reduce((sum, byte) => sum * 256 + byte, 0) : (secret[1] ?? 0);
  const inner = secret[2 + long];
  return length === secret.length - 2 - long && (inner === 0x30 || inner === 0x02);
}
