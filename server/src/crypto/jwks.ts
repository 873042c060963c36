/** Reads a JSON Web Key Set (RFC 7517 §5) that somebody else made: which keys it has for us, and which it must not have. */
import type { JWK } from "jose";
import { algorithmOf, checkPublicJwk, type SigningAlgorithm } from "./signing-key.ts";

/** A public key of a set that can check access tokens. */
export interface JwksMember {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly jwk: JWK;
}

/** A JSON Web Key Set, as an issuer publishes it. */
export interface JsonWebKeySet {
  readonly keys: readonly JWK[];
}

const mostKeys = 100;
const secretMembers = ["k", "d", "p", "q", "dp", "dq", "qi", "oth", "priv"] as const;

/**
 * The keys of a set that can check access tokens. Keys of other kinds, for other uses, or without a `kid` are passed over.
 *
 * @throws TypeError for what is not a JWKS, for a set with a private or symmetric key, a weak key, two keys of the same `kid`,
 * or no key for us.
 */
export function readJwks(jwks: unknown): readonly JwksMember[] {
  if (!isObject(jwks) || !Array.isArray(jwks.keys) || jwks.keys.length > mostKeys || !jwks.keys.every(isObject)) {
    throw new TypeError(`a JWKS is an object with "keys", a list of at most ${mostKeys} keys`);
  }
  const members = (jwks.keys as JWK[]).flatMap((jwk) => readKey(jwk) ?? []);
  if (members.length === 0) throw new TypeError("the JWKS has no key that can check access tokens");
  if (new Set(members.map(({ kid }) => kid)).size < members.length) {
    throw new TypeError('the JWKS has two keys with the same "kid"');
  }
  return members;
}

function readKey(jwk: JWK): JwksMember | null {
  if (secretMembers.some((name) => Object.hasOwn(jwk, name))) {
    throw new TypeError("the JWKS has a private or symmetric key. Whoever reads it can sign: replace that key");
  }
  const algorithm = algorithmOf(jwk);
  if (algorithm === null || (jwk.alg ?? algorithm) !== algorithm || typeof jwk.kid !== "string") return null;
  const { use = "sig", key_ops: operations = ["verify"] } = jwk;
  if (use !== "sig" || !Array.isArray(operations) || !operations.includes("verify")) return null;
  checkPublicJwk(jwk, algorithm);
  return { kid: jwk.kid, algorithm, jwk };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
