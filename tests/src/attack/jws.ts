/** Signed tokens made by hand: no library makes what is wrong with most of these. */
import { constants, createHmac, type KeyObject, sign } from "node:crypto";

type Sign = (key: KeyObject, input: Buffer) => Buffer;

const hmac =
  (hash: string): Sign =>
  (key, input) =>
    createHmac(hash, key).update(input).digest();
const rsa =
  (hash: string): Sign =>
  (key, input) =>
    sign(hash, input, key);
const pss =
  (hash: string): Sign =>
  (key, input) =>
    sign(hash, input, {
      key,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    });
const ecdsa =
  (hash: string): Sign =>
  (key, input) =>
    sign(hash, input, { key, dsaEncoding: "ieee-p1363" });
const edwards: Sign = (key, input) => sign(null, input, key);

/** RFC 7518 §3, RFC 8037 §3.1, RFC 8812 §3.2, RFC 9864 §2. */
const signatures = {
  HS256: hmac("sha256"),
  HS384: hmac("sha384"),
  HS512: hmac("sha512"),
  RS256: rsa("sha256"),
  RS384: rsa("sha384"),
  RS512: rsa("sha512"),
  PS256: pss("sha256"),
  PS384: pss("sha384"),
  PS512: pss("sha512"),
  ES256: ecdsa("sha256"),
  ES384: ecdsa("sha384"),
  ES512: ecdsa("sha512"),
  ES256K: ecdsa("sha256"),
  EdDSA: edwards,
  Ed25519: edwards,
  Ed448: edwards,
} satisfies Record<string, Sign>;

/** How a JWS may be signed, by its registered name. */
export type Algorithm = keyof typeof signatures;

/** A key, and how it signs. */
export interface Signer {
  readonly alg: Algorithm;
  readonly key: KeyObject;
}

/** The signature of a text. */
export function signText(text: string, { alg, key }: Signer): string {
  return signatures[alg](key, Buffer.from(text)).toString("base64url");
}

/** A JWS in its compact form. A header or a payload that is text, or bytes, is taken as it stands. */
export function signJws(header: object | string, payload: object | string, signer: Signer): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${signText(input, signer)}`;
}

export function encode(value: object | string): string {
  const isAsItStands = typeof value === "string" || Buffer.isBuffer(value);
  return Buffer.from(isAsItStands ? value : JSON.stringify(value)).toString("base64url");
}

/** What a part of a token says. */
export function decode(part = ""): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, "base64url").toString());
}
