/**
 * Refresh tokens: session secrets whose name is session id ‖ generation. The same session and generation always give the
 * same token, which is what makes a retry safe.
 */
import { createHash } from "node:crypto";
import type { SessionId } from "@countersign/shared/schemas";
import {
  createSessionSecrets,
  idBytes,
  idLength,
  type Keys,
  type PresentedSecret,
  parseSecret,
} from "./session-secret.ts";

/** What a refresh token names, and the proof that it was ours. */
export interface PresentedRefreshToken extends PresentedSecret {
  readonly generation: number;
}

const nameLength = idLength + 4;

/** Makes refresh tokens, and knows its own. */
export interface RefreshTokens {
  /** The refresh token of a session's generation. */
  make(session: { readonly id: SessionId; readonly generation: number; readonly salt: Uint8Array }): string;
  /** Tells, in constant time, whether a presented token is ours, for a session with this salt. */
  isAuthentic(presented: PresentedRefreshToken, salt: Uint8Array): boolean;
}

/** Refresh tokens of keys that stay inside. */
export function createRefreshTokens(keys: Keys): RefreshTokens {
  const secrets = createSessionSecrets(keys, "countersign refresh token v1");
  return {
    make: ({ id, generation, salt }) => secrets.make(nameOf(id, generation), salt),
    isAuthentic: secrets.isAuthentic,
  };
}

/** Reads a refresh token's parts without trusting them; `null` when it is not of the canonical form. */
export function parseRefreshToken(token: string): PresentedRefreshToken | null {
  const presented = parseSecret(token, nameLength);
  if (presented === null) return null;
  return { ...presented, generation: Buffer.from(presented.name).readUInt32BE(idLength) };
}

/** What the database keeps of the name that a client gave to a refresh. */
export function attemptHash(attempt: string): string {
  return createHash("sha256").update(attempt).digest("base64url");
}

function nameOf(sessionId: SessionId, generation: number): Uint8Array {
  const name = Buffer.alloc(nameLength);
  name.set(idBytes(sessionId));
  name.writeUInt32BE(generation, idLength);
  return name;
}
