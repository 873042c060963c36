/**
 * Checks access tokens in another service, with nothing but the issuer's public keys. No database, no Node.js: it runs in
 * Node.js, Bun, Deno, Workers and browsers.
 */
import { AuthError, type Principal } from "@countersign/shared";
import { base64url } from "jose";
import { goodUntil, verifyAccessToken } from "./crypto/access-token.ts";
import { isCanonicalBase64url } from "./crypto/base64url.ts";
import { readBearer } from "./crypto/bearer.ts";
import { BoundedCache } from "./crypto/bounded-cache.ts";
import { type JsonWebKeySet, readJwks } from "./crypto/jwks.ts";
import {
  type EncryptionKey,
  importEncryptionKey,
  importVerificationKey,
  type VerificationKey,
} from "./crypto/signing-key.ts";
import { createIssuerFeed, type IssuerFeed, type Subjects } from "./engine/issuer-feed.ts";
import { type Fetch, IssuerKeys } from "./engine/issuer-keys.ts";

export { AuthError, isAuthError, type Principal } from "@countersign/shared";
export type { JsonWebKeySet } from "./crypto/jwks.ts";
export type { Fetch } from "./engine/issuer-keys.ts";

interface CommonOptions {
  /** What `iss` must be, exactly: the `issuer` of the server. */
  readonly issuer: string;
  /** What `aud` must be, exactly: the `audience` of the server. */
  readonly audience: string;
  /** How far the clocks of issuer and verifier may be apart. Default is 5. */
  readonly clockToleranceSeconds?: number;
  /** The greatest age of a token, whatever it says of its end. Default is none. */
  readonly maxAgeSeconds?: number;
  /** The key of encrypted access tokens: 32 bytes, or their base64url. Default is none: encrypted tokens are refused. */
  readonly decryptionKey?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** The most verified tokens that are remembered. Default is 10,000. */
  readonly cacheSize?: number;
  /** Epoch milliseconds. Default is the runtime's clock. */
  readonly now?: () => number;
  /** Told of what no caller can act on: keys that cannot be fetched or used. Must not throw. Default is nothing. */
  readonly onError?: (error: unknown) => void;
}

interface FixedKeys {
  /** The issuer's public keys themselves. They are never fetched, so a rotation needs new ones here. */
  readonly jwks: JsonWebKeySet;
  readonly jwksUri?: never;
  readonly feed?: never;
  readonly whenFeedIsStale?: never;
}

interface FetchedKeys {
  /** Where the issuer publishes its keys, as in `https://auth.example.com/.well-known/jwks.json`. */
  readonly jwksUri: string | URL;
  readonly jwks?: never;
  /** Allows `http:` beyond this machine. Whoever is on the way can then forge tokens. Default is false. */
  readonly allowInsecureHttp?: boolean;
  /** The least time between two fetches, however many unknown keys tokens name. Default is 30. */
  readonly cooldownSeconds?: number;
  /** How long keys are used that cannot be fetched again, as while the issuer is down. Default is 86,400 (1 day). */
  readonly staleSeconds?: number;
  /** What fetches the keys, and the feed. Default is the runtime's `fetch`. */
  readonly fetch?: Fetch;
  /**
   * Follows the issuer's feed, so that a revocation is seen within a second: `true` where `auth` is mounted at `/trpc` beside
   * the JWKS, else the URL of `auth.feed`. Default is not to: a token is then good until `exp`.
   */
  readonly feed?: true | string | URL;
  /**
   * What a good token gets while the feed cannot be followed: `"open"` trusts it until `exp`, `"closed"` throws `UNAVAILABLE`.
   * Default is `"open"`.
   */
  readonly whenFeedIsStale?: "open" | "closed";
}

/** The options of {@link createVerifier}: the issuer, the audience, and the keys or where to fetch them. */
export type VerifierOptions = CommonOptions & (FixedKeys | FetchedKeys);

export interface Verifier<P extends Principal<string, string, object> = Principal> {
  /**
   * What an access token proves.
   *
   * @throws AuthError `TOKEN_MISSING` without a token; `TOKEN_EXPIRED` for one that is good but for its time;
   * `TOKEN_INVALID` for every other, with a `cause` that says so where `iss` or `aud` is not what the options expect;
   * `UNAVAILABLE` while the issuer's keys cannot be fetched.
   */
  verify(token: string | null | undefined): Promise<P>;
  /** Whether the feed has not been followed for five seconds and the clocks' tolerance, so that a revocation may be unknown. */
  isFeedStale(): boolean;
  /** Stops following the feed. A process that follows it does not end by itself. */
  close(): void;
  /** The same for the bearer token of a request (`Authorization: Bearer …`). */
  verifyRequest(request: { readonly headers: Pick<Headers, "get"> }): Promise<P>;
}

/**
 * Makes a verifier. Make one for the life of the process: it keeps keys and verified tokens.
 *
 * Without `feed` a verifier knows no revocation: a token of a session that has ended is good until `exp`. With it, it does,
 * and still asks nobody when it verifies; where no connection can be kept, as in Workers, it asks once a second at most.
 *
 * @typeParam P The principal, where the issuer's scopes, roles and claims are known: `Principal<Scope, Role, Claims>`.
 * @throws TypeError for options that cannot work.
 * @see RFC 9068 §4
 * @example
 * ```ts
 * const verifier = createVerifier({
 *   issuer: "https://auth.example.com",
 *   audience: "https://api.example.com",
 *   jwksUri: "https://auth.example.com/.well-known/jwks.json",
 * });
 * const principal = await verifier.verifyRequest(request);
 * ```
 */
export function createVerifier<P extends Principal<string, string, object> = Principal>(
  options: VerifierOptions,
): Verifier<P> {
  checkOptions(options);
  const { issuer, audience, clockToleranceSeconds = 5, maxAgeSeconds = Number.POSITIVE_INFINITY } = options;
  const now = options.now ?? (() => Date.now());
  const limits = { clockToleranceSeconds, maxAgeSeconds };
  let verified = new BoundedCache<Verified>(options.cacheSize);
  const keys = openKeys(options, now, () => {
    // A new cache, not an emptied one: a verification that is under way must not put its token into it.
    verified = new BoundedCache<Verified>(options.cacheSize);
  });
  const feed = openFeed(options, { now, keys });
  let wasStale = false;
  const openDecryptionKeys = lazyEncryptionKeys(options.decryptionKey ?? []);

  async function verify(token: string | null | undefined): Promise<P> {
    if (token === null || token === undefined || token === "") throw new AuthError("TOKEN_MISSING");
    if (typeof token !== "string") throw new AuthError("TOKEN_INVALID");
    // Before the cache: with good tokens only, nothing else would notice that a key is gone.
    if (!keys.fresh) await keys.refresh();
    if (feed !== null) await feed.refresh();
    const cache = verified;
    const known = cache.get(token, now()) ?? (await verifyAnew(token, cache));
    if (feed !== null && known.subjects !== null) requireStillTrue(feed, known.subjects);
    // The type parameter is the developer's word for what the issuer puts into tokens.
    return known.principal as P;
  }

  async function verifyAnew(token: string, cache: BoundedCache<Verified>): Promise<Verified> {
    const principal = await verifyAccessToken(token, {
      ...limits,
      keyFor: (kid) => keys.keyFor(kid),
      issuer,
      audience,
      now,
      decryptionKeys: await openDecryptionKeys(),
    });
    const subjects = feed === null ? null : await feed.subjectsOf(principal);
    const proved = { principal, subjects };
    cache.set(token, proved, goodUntil(principal, limits));
    return proved;
  }

  function requireStillTrue(feed: IssuerFeed, subjects: Subjects): void {
    const objection = feed.objectionTo(subjects);
    if (objection !== null) throw new AuthError(objection);
    const isStale = feed.isStale();
    if (isStale && !wasStale) options.onError?.(new Error("the feed is stale: a revocation may be unknown"));
    wasStale = isStale;
    if (isStale && options.whenFeedIsStale === "closed") throw new AuthError("UNAVAILABLE", { retryAfter: 1 });
  }

  return {
    verify,
    isFeedStale: () => feed?.isStale() ?? false,
    close: () => feed?.close(),
    verifyRequest: async (request) => verify(readBearer(request.headers.get("authorization"))),
  };
}

/** A token that passed, and how the feed would name what it proves. */
interface Verified {
  readonly principal: Principal;
  readonly subjects: Subjects | null;
}

type Keys = Pick<IssuerKeys, "fresh" | "refresh" | "renew" | "keyFor">;

function openFeed(options: VerifierOptions, { now, keys }: { now: () => number; keys: Keys }): IssuerFeed | null {
  if (options.feed === undefined) return null;
  const { issuer, feed, jwksUri, clockToleranceSeconds = 5, onError = () => {} } = options;
  return createIssuerFeed({
    url: new URL(feed === true ? "../trpc/auth.feed" : feed, jwksUri).href,
    issuer,
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    now,
    async keyFor(kid) {
      const known = await keys.keyFor(kid);
      if (known !== null) return known;
      await keys.renew();
      return keys.keyFor(kid);
    },
    onKeysChanged: () => keys.renew(),
    staleAfterMs: (5 + clockToleranceSeconds) * 1_000,
    // A Worker's connections end with the request that they were opened for.
    keepsConnections: globalThis.navigator?.userAgent !== "Cloudflare-Workers",
    onError,
  });
}

function openKeys(options: VerifierOptions, now: () => number, onRemoved: () => void): Keys {
  const onError = options.onError ?? (() => {});
  if (options.jwks !== undefined) return new FixedIssuerKeys(options.jwks, onError);
  return new IssuerKeys({
    uri: new URL(options.jwksUri).href,
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    now,
    cooldownSeconds: options.cooldownSeconds ?? 30,
    staleSeconds: options.staleSeconds ?? 86_400,
    onError,
    onRemoved,
  });
}

/** Keys that were given. Imported when first needed: some runtimes allow nothing asynchronous before the first request. */
class FixedIssuerKeys implements Keys {
  readonly fresh = true;
  readonly #members: ReturnType<typeof readJwks>;
  readonly #imported = new Map<string, VerificationKey>();
  readonly #onError: (error: unknown) => void;

  constructor(jwks: JsonWebKeySet, onError: (error: unknown) => void) {
    this.#members = readJwks(jwks);
    this.#onError = onError;
  }

  async refresh(): Promise<void> {}
  async renew(): Promise<void> {}

  async keyFor(kid: string): Promise<VerificationKey | null> {
    const imported = this.#imported.get(kid);
    if (imported !== undefined) return imported;
    const member = this.#members.find((key) => key.kid === kid);
    if (member === undefined) return null;
    try {
      const key = await importVerificationKey(member.jwk, kid, member.algorithm);
      this.#imported.set(kid, key);
      return key;
    } catch (error) {
      this.#onError(error);
      return null;
    }
  }
}

function lazyEncryptionKeys(given: NonNullable<VerifierOptions["decryptionKey"]>): () => Promise<EncryptionKey[]> {
  const keys = (Array.isArray(given) ? given : [given]).map(readDecryptionKey);
  let imported: Promise<EncryptionKey[]> | undefined;
  return () => {
    imported ??= Promise.all(keys.map(importEncryptionKey));
    return imported;
  };
}

function readDecryptionKey(given: unknown): Uint8Array<ArrayBuffer> {
  const bytes = typeof given === "string" && isCanonicalBase64url(given) ? base64url.decode(given) : given;
  if (!(bytes instanceof Uint8Array) || bytes.length !== 32) {
    throw new TypeError('"decryptionKey" must be 32 bytes, or their unpadded base64url');
  }
  return new Uint8Array(bytes);
}

function checkOptions(options: VerifierOptions): void {
  for (const name of ["issuer", "audience"] as const) {
    if (typeof options[name] !== "string" || options[name] === "")
      throw new TypeError(`"${name}" must be a non-empty string`);
  }
  if ((options.jwks === undefined) === (options.jwksUri === undefined)) {
    throw new TypeError('"jwks" or "jwksUri" must be given, and not both');
  }
  for (const name of [
    "clockToleranceSeconds",
    "maxAgeSeconds",
    "cacheSize",
    "cooldownSeconds",
    "staleSeconds",
  ] as const) {
    checkCount(name, (options as Partial<Record<typeof name, unknown>>)[name]);
  }
  if (options.jwksUri !== undefined) checkUri("jwksUri", options.jwksUri, options.allowInsecureHttp === true);
  if (options.feed !== undefined && options.feed !== true)
    checkUri("feed", options.feed, options.allowInsecureHttp === true);
}

function checkCount(name: string, value: unknown): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) >= 0)) {
    throw new TypeError(`"${name}" must be a whole number, 0 or more`);
  }
}

function checkUri(name: string, given: string | URL, allowInsecureHttp: boolean): void {
  if (!URL.canParse(given)) throw new TypeError(`"${name}" must be an absolute URL`);
  const { protocol, hostname } = new URL(given);
  if (protocol === "https:") return;
  if (protocol !== "http:") throw new TypeError(`"${name}" must be an https: URL`);
  if (/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname) || allowInsecureHttp) return;
  throw new TypeError(
    `"${name}" must be an https: URL: over http: anyone on the way can forge tokens. "allowInsecureHttp" allows it`,
  );
}
