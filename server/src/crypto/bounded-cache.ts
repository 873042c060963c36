/** What texts were found to be worth, so that the next request with the same one costs one map look-up. */

interface Entry<Value> {
  readonly text: string;
  readonly value: Value;
  readonly goodUntil: number;
}

// JavaScript hashes a text to its last character before it looks it up: 2 µs for a token, 0.2 µs for its end (an Ed25519
// signature has 86 characters, an HMAC 43). The whole text is compared all the same.
const keyLength = 43;

/**
 * A bounded cache by a text: a token, a session cookie, the id of an account or a session. It holds no refusals: nobody can fill
 * it but with what was issued to them. When it is full, the oldest entry goes.
 */
export class BoundedCache<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #limit: number;

  /** @param limit The most texts that are kept. Default is 10,000. */
  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  /** What a text was found to be worth, as long as that is still so; `null` for one that must be looked at. */
  get(text: string, now: number): Value | null {
    const entry = this.#entries.get(text.slice(-keyLength));
    return entry !== undefined && entry.text === text && now < entry.goodUntil ? entry.value : null;
  }

  /** Keeps what a text is worth until a time (epoch milliseconds). */
  set(text: string, value: Value, goodUntil: number): void {
    const key = text.slice(-keyLength);
    this.#entries.delete(key);
    const oldest = this.#entries.size < this.#limit ? undefined : this.#entries.keys().next().value;
    if (oldest !== undefined) this.#entries.delete(oldest);
    if (this.#limit > 0) this.#entries.set(key, { text, value, goodUntil });
  }

  get size(): number {
    return this.#entries.size;
  }
}
