/**
 * What other services are told of the feed: signed with the key of access tokens, so that whoever verifies those needs
 * nothing else, and without a word about whom it concerns. Runs on any JavaScript runtime.
 */
import { AuthError } from "@countersign/shared";
import { base64url, compactVerify, decodeProtectedHeader } from "jose";
import type { SigningKey, VerificationKey } from "./signing-key.ts";

/** A part of the feed, from one position to another. */
export interface FeedMessage {
  /** Until when it is complete: epoch milliseconds, by the issuer's clock. */
  readonly asOf: number;
  /** It has every event after this position. */
  readonly from: number;
  /** Up to here nothing can be added any more: where to go on. Not less than `from`. */
  readonly to: number;
  readonly events: readonly FeedFact[];
}

/** What is no longer true. Subjects are hashes: who holds a token finds its own, and nobody else anything. */
export type FeedFact =
  | { readonly session: string }
  /** Tokens of the account with an older version. */
  | { readonly account: string; readonly version: number }
  /** The issuer's keys are others now. */
  | { readonly keys: true };

const messageType = "feed+jwt";
const hashLength = 16;

/** What stands for a session or an account in the feed of an issuer: the same on both sides. */
export async function hashSubject(kind: "session" | "account", issuer: string, id: string): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify([issuer, kind, id]));
  const digest = await crypto.subtle.digest("SHA-256", text);
  return base64url.encode(new Uint8Array(digest).subarray(0, hashLength));
}

export async function signFeedMessage(key: SigningKey, issuer: string, message: FeedMessage): Promise<string> {
  const { asOf, ...rest } = message;
  return key.sign(messageType, JSON.stringify({ iss: issuer, iat: asOf / 1_000, ...rest }));
}

/**
 * @param options.keyFor What it throws, this throws.
 * @throws AuthError `TOKEN_INVALID` for what this issuer did not sign as a part of its feed.
 */
export async function verifyFeedMessage(
  text: string,
  { issuer, keyFor }: { readonly issuer: string; readonly keyFor: (kid: string) => Promise<VerificationKey | null> },
): Promise<FeedMessage> {
  const key = await keyOf(text, keyFor);
  try {
    const { payload } = await compactVerify(text, key.key, { algorithms: [key.algorithm] });
    return read(JSON.parse(new TextDecoder().decode(payload)), issuer);
  } catch {
    throw new AuthError("TOKEN_INVALID");
  }
}

async function keyOf(text: string, keyFor: (kid: string) => Promise<VerificationKey | null>): Promise<VerificationKey> {
  const { kid, typ } = headerOf(text);
  // An access token is signed with the same keys, and is no part of the feed.
  const key = typ === messageType && kid !== undefined ? await keyFor(kid) : null;
  if (key === null) throw new AuthError("TOKEN_INVALID");
  return key;
}

function headerOf(text: string): { readonly kid?: string | undefined; readonly typ?: string | undefined } {
  try {
    return decodeProtectedHeader(text);
  } catch {
    throw new AuthError("TOKEN_INVALID");
  }
}

function read(payload: unknown, issuer: string): FeedMessage {
  const { iss, iat, from, to, events } = payload as Record<string, unknown>;
  if (iss !== issuer || typeof iat !== "number" || !isPosition(from) || !isPosition(to) || to < from)
    throw new TypeError("not a part of the feed");
  if (!Array.isArray(events) || !events.every(isFact)) throw new TypeError("not a part of the feed");
  return { asOf: iat * 1_000, from, to, events };
}

function isPosition(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isFact(value: unknown): value is FeedFact {
  const { session, account, version, keys } = (value ?? {}) as Record<string, unknown>;
  return typeof session === "string" || (typeof account === "string" && isPosition(version)) || keys === true;
}
