/** Tokens whose signature and claims were good, so that the next request with the same token costs one map look-up. */
import type { Principal } from "@countersign/shared";

interface Entry {
  readonly token: string;
  readonly principal: Principal;
  readonly goodUntil: number;
}

// JavaScript hashes a text to its last character before it looks it up: 2 µs for a token, 0.2 µs for its end (an Ed25519
// signature has 86 characters, an HMAC 43). The whole token is compared all the same.
const keyLength = 43;

/**
 * A bounded cache of successes, by the whole token. It holds no refusals: nobody can fill it but with tokens that were
 * issued to them. When it is full, the oldest entry goes.
 */
export class VerifiedTokens {
  readonly #entries = new Map<string, Entry>();
  readonly #limit: number;

  /** @param limit The most tokens that are kept. Default is 10,000. */
  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  /** What a token proved, as long as that is still so; `null` for a token that must be verified. */
  get(token: string, now: number): Principal | null {
    const entry = this.#entries.get(token.slice(-keyLength));
    return entry !== undefined && entry.token === token && now < entry.goodUntil ? entry.principal : null;
  }

  /** Keeps what a token proved until a time (epoch milliseconds). */
  set(token: string, principal: Principal, goodUntil: number): void {
    const key = token.slice(-keyLength);
    this.#entries.delete(key);
    const oldest = this.#entries.size < this.#limit ? undefined : this.#entries.keys().next().value;
    if (oldest !== undefined) this.#entries.delete(oldest);
    if (this.#limit > 0) this.#entries.set(key, { token, principal, goodUntil });
  }

  get size(): number {
    return this.#entries.size;
  }
}
