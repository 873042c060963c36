/** Where tokens are kept between two starts, and how they are written down. */
import type { SignedIn, User } from "@countersign/shared/schemas";

/**
 * A place for a text under a name: `localStorage` is one, and so is anything that keeps a secret and answers later, as
 * Expo's SecureStore, a keychain, or a file.
 */
export interface TokenStorage {
  getItem(name: string): string | null | Promise<string | null>;
  setItem(name: string, text: string): void | Promise<void>;
  removeItem(name: string): void | Promise<void>;
}

/** The secrets of a session, and whose they are. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly user: User;
  readonly scope: string;
  /** By the server's clock: epoch milliseconds. */
  readonly expiresAt: number;
  /** By this device's clock, whatever it shows: when the access token should be replaced. */
  readonly staleAt: number;
}

/** Sooner than the server would refuse it: a tenth of its life, half a minute at most. */
const marginMs = (lifeMs: number) => Math.min(lifeMs / 10, 30_000);

/**
 * The tokens of a reply. Their life began somewhere between the request and the reply: counted from the request, nothing is
 * sent too late; and however slow the reply was, they are used for half of it at least.
 *
 * @param by This device's clock, whatever it shows.
 */
export function tokensFrom(signedIn: SignedIn, by: { readonly askedAt: number; readonly arrivedAt: number }): Tokens {
  const { askedAt, arrivedAt } = by;
  const { accessToken, refreshToken, user, scope, expiresAt } = signedIn;
  // A server of an older version does not say how long that is; then the clocks have to agree.
  const lifeMs = (signedIn.expiresIn ?? (expiresAt.getTime() - askedAt) / 1_000) * 1_000;
  const staleAt = Math.max(askedAt + lifeMs - marginMs(lifeMs), arrivedAt + lifeMs / 2);
  return { accessToken, refreshToken, user, scope, expiresAt: expiresAt.getTime(), staleAt };
}

/** Whether two are the same sign-in at the same point of its life. */
export function areSame(one: Tokens | null, other: Tokens | null): boolean {
  return one?.refreshToken === other?.refreshToken && one?.accessToken === other?.accessToken;
}

export function write(tokens: Tokens): string {
  return JSON.stringify(tokens);
}

/** Reads what was written; `null` for what is damaged, or was written by something else. */
export function read(text: string): Tokens | null {
  try {
    const found = JSON.parse(text) as Partial<Tokens> | null;
    const isWhole =
      typeof found?.accessToken === "string" &&
      typeof found.refreshToken === "string" &&
      typeof found.user?.id === "string" &&
      typeof found.scope === "string" &&
      typeof found.expiresAt === "number" &&
      typeof found.staleAt === "number";
    return isWhole ? (found as Tokens) : null;
  } catch {
    return null;
  }
}
