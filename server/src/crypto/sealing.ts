/** Keys from the master secret, one a purpose, and small secrets sealed for the database. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";

/** What a key is derived for. Each purpose has a key of its own, so that none can stand in for another. */
export type KeyLabel =
  | "signing keys"
  | "access token encryption"
  | "refresh tokens"
  | "session cookies"
  | "attempts"
  | "set-up code";

/** The master secret, and others that are accepted while it is changed: at least 32 bytes each. */
export type Secrets = readonly [current: Uint8Array, ...accepted: Uint8Array[]];

/** The fewest bytes that a master secret may have. */
export const minSecretLength = 32;

/**
 * Derives a key from the master secret: HKDF-SHA-256 (RFC 5869) with the label as its `info`.
 *
 * @throws TypeError when the secret is shorter than 32 bytes.
 */
export function deriveKey(secret: Uint8Array, label: KeyLabel, length: number): Uint8Array<ArrayBuffer> {
  if (secret.length < minSecretLength) {
    throw new TypeError(`"secret" must have at least ${minSecretLength} bytes`);
  }
  return new Uint8Array(hkdfSync("sha256", secret, new Uint8Array(), `countersign/v1/${label}`, length));
}

/** Why a sealed value could not be opened. */
export type SealingProblem = "another_secret" | "damaged" | "unknown_version";

/** A sealed value that cannot be opened. The message tells which of the three it is, never what was inside. */
export class SealingError extends Error {
  override readonly name = "SealingError";
  readonly problem: SealingProblem;

  constructor(problem: SealingProblem, message: string = sentences[problem]) {
    super(message);
    this.problem = problem;
  }
}

const sentences: Record<SealingProblem, string> = {
  another_secret: "it was sealed with another secret",
  damaged: "it is damaged, or belongs to another row",
  unknown_version: "it was sealed by another version of this program",
};

// version (1) ‖ key check (8) ‖ nonce (12) ‖ ciphertext ‖ tag (16)
const version = 1;
const checkLength = 8;
const nonceLength = 12;
const tagLength = 16;
const headerLength = 1 + checkLength;
const shortest = headerLength + nonceLength + tagLength;

/**
 * Seals a small value with AES-256-GCM. It opens only with the same key and the same context.
 *
 * The nonce is random: one key may seal 2^32 values (NIST SP 800-38D §8.3), and ours seals a few a year.
 *
 * @param sealer The key (32 bytes, from {@link deriveKey}) and the source of the nonce.
 * @param options `context`: what the value belongs to, as a key's id. It is authenticated, and not stored.
 */
export function seal(
  sealer: { readonly key: Uint8Array; readonly randomBytes: (length: number) => Uint8Array },
  value: Uint8Array,
  options: { readonly context: string },
): Uint8Array<ArrayBuffer> {
  const nonce = sealer.randomBytes(nonceLength);
  const header = Buffer.concat([Uint8Array.of(version), keyCheck(sealer.key)]);
  const cipher = createCipheriv("aes-256-gcm", sealer.key, nonce, { authTagLength: tagLength });
  cipher.setAAD(associatedData(header, options.context));
  const sealed = [header, nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()];
  return new Uint8Array(Buffer.concat(sealed));
}

/**
 * Opens what {@link seal} made.
 *
 * @throws SealingError when the value was sealed with another secret, is damaged, or belongs to another context.
 */
export function open(
  key: Uint8Array,
  sealed: Uint8Array,
  options: { readonly context: string },
): Uint8Array<ArrayBuffer> {
  if (sealed.length < shortest) throw new SealingError("damaged");
  if (sealed[0] !== version) throw new SealingError("unknown_version");
  const header = sealed.subarray(0, headerLength);
  if (!keyCheck(key).equals(header.subarray(1))) throw new SealingError("another_secret");

  const nonce = sealed.subarray(headerLength, headerLength + nonceLength);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagLength });
  decipher.setAAD(associatedData(header, options.context));
  decipher.setAuthTag(sealed.subarray(-tagLength));
  try {
    const value = decipher.update(sealed.subarray(headerLength + nonceLength, -tagLength));
    return new Uint8Array(Buffer.concat([value, decipher.final()]));
  } catch {
    throw new SealingError("damaged");
  }
}

/** Whether {@link seal} made a value with this key; of a damaged one nothing can be said. */
export function isSealedWith(key: Uint8Array, sealed: Uint8Array): boolean {
  return keyCheck(key).equals(sealed.subarray(1, headerLength));
}

/** Tells the key apart from others without telling anything about it, so that a wrong secret is not taken for damage. */
function keyCheck(key: Uint8Array): Buffer {
  return createHmac("sha256", key).update("countersign/v1/key check").digest().subarray(0, checkLength);
}

function associatedData(header: Uint8Array, context: string): Buffer {
  return Buffer.concat([header, Buffer.from(context, "utf8")]);
}
