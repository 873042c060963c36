/**
 * Refresh tokens: `v1.` and base64url of session id ‖ generation ‖ HMAC-SHA-256(key, label ‖ session id ‖ generation ‖ salt).
 *
 * The database keeps the salt and the generation, never a token, and the key is derived from the master secret: neither
 * alone can make one. The same session and generation always give the same token, which is what makes a retry safe.
 */
import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import type { SessionId } from "@countersign/shared/schemas";
import { parse, stringify } from "uuid";

/** What a refresh token names, and the proof that it was ours. */
export interface PresentedRefreshToken {
  readonly sessionId: SessionId;
  readonly generation: number;
  readonly mac: Uint8Array;
}

const prefix = "v1.";
const label = "countersign refresh token v1";
const idLength = 16;
const macStart = idLength + 4;
const length = macStart + 32;

/** The refresh token of a session's generation. */
export function makeRefreshToken(key: KeyObject, session: { id: SessionId; generation: number; salt: Uint8Array }): string {
  const named = nameBytes(session.id, session.generation);
  return prefix + Buffer.concat([named, mac(key, named, session.salt)]).toString("base64url");
}

/** Reads a refresh token's parts without trusting them; `null` when it is not of the canonical form. */
export function parseRefreshToken(token: string): PresentedRefreshToken | null {
  if (!token.startsWith(prefix)) return null;
  const encoded = token.slice(prefix.length);
  const bytes = Buffer.from(encoded, "base64url");
  // Buffer skips what is not base64url; only the canonical spelling comes back as it was.
  if (bytes.length !== length || bytes.toString("base64url") !== encoded) return null;
  const sessionId = readUuid(bytes.subarray(0, idLength));
  if (sessionId === null) return null;
  return { sessionId, generation: bytes.readUInt32BE(idLength), mac: bytes.subarray(macStart) };
}

/** Tells, in constant time, whether a presented token was made with this key for a session with this salt. */
export function isAuthentic(key: KeyObject, presented: PresentedRefreshToken, salt: Uint8Array): boolean {
  return timingSafeEqual(mac(key, nameBytes(presented.sessionId, presented.generation), salt), presented.mac);
}

function mac(key: KeyObject, named: Uint8Array, salt: Uint8Array): Buffer {
  return createHmac("sha256", key).update(label).update(named).update(salt).digest();
}

function nameBytes(sessionId: SessionId, generation: number): Buffer {
  const bytes = Buffer.alloc(macStart);
  bytes.set(parse(sessionId));
  bytes.writeUInt32BE(generation, idLength);
  return bytes;
}

function readUuid(bytes: Uint8Array): SessionId | null {
  try {
    return stringify(bytes) as SessionId;
  } catch {
    return null;
  }
}
