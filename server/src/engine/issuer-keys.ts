/**
 * The public keys of an issuer, fetched from its JWKS and kept. Runs on any JavaScript runtime.
 *
 * jose's createRemoteJWKSet does not meet what a verifier needs here: with the issuer down it forgets keys that are still
 * good, and asks again at every token; it reads a reply of any size; and its clock cannot be injected.
 */
import { AuthError } from "@countersign/shared";
import { readJwks } from "../crypto/jwks.ts";
import { importVerificationKey, publicPart, type VerificationKey } from "../crypto/signing-key.ts";
import { atMost } from "./at-most.ts";

/** `fetch`, as far as it is needed here. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

export interface IssuerKeysOptions {
  readonly uri: string;
  readonly fetch: Fetch;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** The least time between two fetches, whatever tokens arrive. */
  readonly cooldownSeconds: number;
  /** How long keys are used while they cannot be fetched again. */
  readonly staleSeconds: number;
  /** A fetch that failed, or a JWKS that was refused. */
  readonly onError: (error: unknown) => void;
  /** A key is gone, or another one now: what it proved is no longer proved. */
  readonly onRemoved: () => void;
}

const timeoutMs = 5_000;
const mostBytes = 65_536;
const defaultMaxAgeSeconds = 300;
const longestMaxAgeSeconds = 3_600;

interface Fetched {
  readonly keys: ReadonlyMap<string, { readonly key: VerificationKey; readonly fingerprint: string }>;
  readonly freshUntil: number;
  readonly usableUntil: number;
}

interface Attempt {
  readonly startedAt: number;
  readonly done: Promise<void>;
}

/** Keys by `kid`. One fetch at a time, never two within the cooldown, and none that a token's sender can force. */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  #fetched: Fetched | null = null;
  #attempt: Attempt | null = null;
  #failures = 0;
  #nextAttemptAt = Number.NEGATIVE_INFINITY;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /** Whether the keys are as young as the issuer asks for. */
  get fresh(): boolean {
    return this.#fetched !== null && this.#options.now() < this.#fetched.freshUntil;
  }

  /**
   * Makes the keys fresh, or at least usable. Whoever starts the fetch waits for it (a runtime may stop what nobody waits
   * for); the others go on with the keys that there are.
   *
   * @throws AuthError `UNAVAILABLE` when there are no usable keys.
   */
  async refresh(): Promise<void> {
    if (this.fresh) return;
    if (this.#running() === null || !this.#usable) await this.#fetchUnlessCooling();
    if (!this.#usable) throw this.#unavailable();
  }

  /**
   * The key of a `kid`; `null` when the issuer has none. {@link refresh} comes first.
   *
   * @throws AuthError `UNAVAILABLE` when the last fetch failed: the key may be new.
   */
  async keyFor(kid: string): Promise<VerificationKey | null> {
    const find = () => this.#fetched?.keys.get(kid)?.key ?? null;
    if (find() === null) await this.#fetchUnlessCooling();
    const key = find();
    if (key === null && this.#failures > 0) throw this.#unavailable();
    return key;
  }

  /**
   * Fetches the keys again, past all caches, since the issuer said that they are others; at most once a second. Never
   * throws: the keys that there are go on as long as they may.
   */
  async renew(): Promise<void> {
    const now = this.#options.now();
    if (Math.abs(now - this.#renewedAt) < 1_000) return;
    this.#renewedAt = now;
    await this.#fetch();
  }

  get #usable(): boolean {
    return this.#fetched !== null && this.#options.now() < this.#fetched.usableUntil;
  }

  /** The fetch that is under way. One that is older than its time limit died with the request that began it. */
  #running(): Attempt | null {
    if (this.#attempt !== null && this.#options.now() > this.#attempt.startedAt + timeoutMs) this.#attempt = null;
    return this.#attempt;
  }

  async #fetchUnlessCooling(): Promise<void> {
    const running = this.#running();
    if (running !== null) return atMost(timeoutMs, running.done);
    const startedAt = this.#options.now();
    const cooldownMs = this.#options.cooldownSeconds * 1_000;
    const waitMs = this.#nextAttemptAt - startedAt;
    // A longer time to wait is of a clock that was ahead.
    if (waitMs > 0 && waitMs <= cooldownMs) return;

    this.#nextAttemptAt = startedAt + cooldownMs;
    const attempt = { startedAt, done: this.#fetch() };
    this.#attempt = attempt;
    await attempt.done;
    if (this.#attempt === attempt) this.#attempt = null;
  }

  async #fetch(): Promise<void> {
    const { now, cooldownSeconds, staleSeconds, onError, onRemoved } = this.#options;
    try {
      const { jwks, maxAgeSeconds } = await this.#read();
      const keys = await importAll(jwks);
      const gone = [...(this.#fetched?.keys ?? [])].some(
        ([kid, { fingerprint }]) => keys.get(kid)?.fingerprint !== fingerprint,
      );
      this.#fetched = {
        keys,
        freshUntil: now() + maxAgeSeconds * 1_000,
        usableUntil: now() + (maxAgeSeconds + staleSeconds) * 1_000,
      };
      this.#failures = 0;
      if (gone) onRemoved();
    } catch (error) {
      // Soon again at first, as when both start together; then ever more slowly.
      const backoffSeconds = Math.min(2 ** this.#failures, cooldownSeconds);
      this.#failures += 1;
      this.#nextAttemptAt = now() + backoffSeconds * 1_000;
      onError(error);
    }
  }

  async #read(): Promise<{ jwks: unknown; maxAgeSeconds: number }> {
    const response = await this.#options.fetch(this.#options.uri, {
      headers: {
        accept: "application/jwk-set+json, application/json",
        // What a proxy has kept may be from before the rotation that is asked about.
        ...(this.#renewedAt === this.#options.now() && { "cache-control": "no-cache" }),
      },
      // Not followed: the keys are taken from where the developer said, and nowhere else.
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`the JWKS was answered with status ${response.status}, not 200`);
    }
    return { jwks: JSON.parse(await readText(response)), maxAgeSeconds: maxAgeOf(response) };
  }

  #unavailable(): AuthError {
    const seconds = Math.ceil((this.#nextAttemptAt - this.#options.now()) / 1_000);
    const sentence = "The keys of the sign-in service cannot be fetched. Try again in a few seconds.";
    return new AuthError("UNAVAILABLE", { retryAfter: Math.max(1, seconds) }, sentence);
  }
}

async function importAll(jwks: unknown): Promise<Fetched["keys"]> {
  const members = await Promise.all(
    readJwks(jwks).map(async ({ jwk, kid, algorithm }) => {
      const fingerprint = JSON.stringify(publicPart(jwk, kid, algorithm));
      return [kid, { key: await importVerificationKey(jwk, kid, algorithm), fingerprint }] as const;
    }),
  );
  return new Map(members);
}

/** The body as text, given up as soon as it is too long. */
async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = response.body?.getReader();
  let text = "";
  let size = 0;
  for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
    size += chunk.value.length;
    if (size > mostBytes) {
      await reader?.cancel();
      throw new Error(`the JWKS is longer than ${mostBytes} bytes`);
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
  return text + decoder.decode();
}

function maxAgeOf(response: Response): number {
  const value = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(response.headers.get("cache-control") ?? "")?.[1];
  return Math.min(value === undefined ? defaultMaxAgeSeconds : Number(value), longestMaxAgeSeconds);
}
