/** Where tokens are: in memory, or in a storage that outlives the page. */
import type { User } from "@countersign/shared/schemas";
import type { SignedOutReason } from "./session.ts";

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
  /** What a refresh of these was called that has been asked for and, as far as is known, not answered. */
  readonly attempt?: string;
}

/** A place for the tokens of a page. */
export interface TokenPlace {
  /** What is there at the start, and why nothing is, if something was. */
  start(): Promise<[tokens: Tokens | null, reason?: SignedOutReason]>;
  /** What is there by now; `undefined` where nobody else writes, or where it cannot be read, or not be understood. */
  read(): Promise<Tokens | null | undefined>;
  /** Keeps tokens, or none, and why. A place that fails costs the sign-in of the next start, not this one. */
  keep(tokens: Tokens | null, reason?: SignedOutReason): Promise<void>;
  /** Does `work` while no other tab does the same. */
  alone(work: () => Promise<void>): Promise<void>;
  listen(): void;
  close(): void;
}

/** Whether two are the same sign-in at the same point of its life. */
export function areSame(one: Tokens | null, other: Tokens | null): boolean {
  return one?.accessToken === other?.accessToken;
}
