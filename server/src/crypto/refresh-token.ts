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

/** Makes refresh tokens, and knows its own. */
export interface RefreshTokens {
  /** The refresh token of a session's generation. */
  make(session: { readonly id: SessionId; readonly generation: number; readonly salt: Uint8Array }): string;
  /** Tells, in constant time, whether a presented token is ours, for a session with this salt. */
  isAuthentic(presented: PresentedRefreshToken, salt: Uint8Array): boolean;
}

/** Refresh tokens of one key, which stays inside. */
export function createRefreshTokens(key: KeyObject): RefreshTokens {
  const mac = (named: Uint8Array, salt: Uint8Array) =>
    createHmac("sha256", key).update(label).update(named).update(salt).digest();
  return {
    make({ id, generation, salt }) {
      const named = nameBytes(id, generation);
      return prefix + Buffer.concat([named, mac(named, salt)]).toString("base64url");
    },
    isAuthentic: (presented, salt) =>
      timingSafeEqual(mac(nameBytes(presented.sessionId, presented.generation), salt), presented.mac),
  };
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
