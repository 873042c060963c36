/**
 * What a caller holds to name a session: `v1.` and base64url of a name ‖ HMAC-SHA-256(key, label ‖ name ‖ salt), where
 * the name begins with the session's id.
 *
 * The database keeps the salt, never a secret, and the key is derived from the master secret: neither alone can make one.
 */
import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import type { SessionId } from "@countersign/shared/schemas";
import { parse, stringify } from "uuid";

/** Bytes of a session's id, at the beginning of every name. */
export const idLength = 16;
const macLength = 32;
const prefix = "v1.";

/** The key that is used, and those of other master secrets that are accepted. */
export type Keys = readonly [current: KeyObject, ...accepted: KeyObject[]];

/** A secret's parts, not yet believed. */
export interface PresentedSecret {
  readonly sessionId: SessionId;
  readonly name: Uint8Array;
  readonly mac: Uint8Array;
}

/** Secrets of keys that stay inside. */
export interface SessionSecrets {
  make(name: Uint8Array, salt: Uint8Array): string;
  /** Tells, in constant time, whether a secret is ours, for a session with this salt. */
  isAuthentic(presented: PresentedSecret, salt: Uint8Array): boolean;
}

/**
 * @param keys The first makes secrets; those of the others are taken too.
 * @param label Tells apart what one key is used for.
 */
export function createSessionSecrets(keys: Keys, label: string): SessionSecrets {
  const labelBytes = Buffer.from(label);
  const mac = (key: KeyObject, name: Uint8Array, salt: Uint8Array) =>
    createHmac("sha256", key)
      .update(Buffer.concat([labelBytes, name, salt]))
      .digest();
  return {
    make: (name, salt) => prefix + Buffer.concat([name, mac(keys[0], name, salt)]).toString("base64url"),
    isAuthentic: ({ name, mac: presented }, salt) =>
      keys.some((key) => timingSafeEqual(mac(key, name, salt), presented)),
  };
}

/** Reads a secret's parts without trusting them; `null` when it is not of the canonical form. */
export function parseSecret(secret: string, nameLength: number): PresentedSecret | null {
  if (!secret.startsWith(prefix)) return null;
  const encoded = secret.slice(prefix.length);
  const bytes = Buffer.from(encoded, "base64url");
  // Buffer skips what is not base64url; only the canonical spelling comes back as it was.
  if (bytes.length !== nameLength + macLength || bytes.toString("base64url") !== encoded) return null;
  const sessionId = readUuid(bytes.subarray(0, idLength));
  if (sessionId === null) return null;
  return { sessionId, name: bytes.subarray(0, nameLength), mac: bytes.subarray(nameLength) };
}

/** A session's id as the beginning of a name. */
export function idBytes(sessionId: SessionId): Uint8Array {
  return parse(sessionId);
}

function readUuid(bytes: Uint8Array): SessionId | null {
  try {
    return stringify(bytes) as SessionId;
  } catch {
    return null;
  }
}
