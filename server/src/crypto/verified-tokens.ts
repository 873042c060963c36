/** Tokens whose signature and claims were good, so that the next request with the same token costs one map look-up. */
import type { Principal } from "@countersign/shared";

interface Entry {
  readonly principal: Principal;
  readonly goodUntil: number;
}

/**
 * A bounded cache of successes, keyed by the whole token. It holds no refusals: nobody can fill it but with tokens that
 * were issued to them. When it is full, the oldest entry goes.
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
    const entry = this.#entries.get(token);
    if (entry === undefined) return null;
    if (now < entry.goodUntil) return entry.principal;
    this.#entries.delete(token);
    return null;
  }

  /** Keeps what a token proved until a time (epoch milliseconds). */
  set(token: string, principal: Principal, goodUntil: number): void {
    this.#entries.delete(token);
    if (this.#entries.size >= this.#limit) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
    this.#entries.set(token, { principal, goodUntil });
  }

  get size(): number {
    return this.#entries.size;
  }
}
