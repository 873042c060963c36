/** Session cookies: session secrets whose name is the session's id alone. They never rotate, so that browsers have nothing to race for. */
import type { SessionId } from "@countersign/shared/schemas";
import {
  createSessionSecrets,
  idBytes,
  idLength,
  type Keys,
  type PresentedSecret,
  parseSecret,
} from "./session-secret.ts";

/** Makes the values of session cookies, and knows its own. */
export interface SessionCookies {
  make(session: { readonly id: SessionId; readonly salt: Uint8Array }): string;
  /** Tells, in constant time, whether a presented cookie is ours, for a session with this salt. */
  isAuthentic(presented: PresentedSecret, salt: Uint8Array): boolean;
}

/** Session cookies of keys that stay inside. */
export function createSessionCookies(keys: Keys): SessionCookies {
  const secrets = createSessionSecrets(keys, "countersign session cookie v1");
  return {
    make: ({ id, salt }) => secrets.make(idBytes(id), salt),
    isAuthentic: secrets.isAuthentic,
  };
}

/** Reads a cookie's parts without trusting them; `null` when it is not of the canonical form. */
export function parseSessionCookie(value: string): PresentedSecret | null {
  return parseSecret(value, idLength);
}
