/** What flows need from outside, and nothing else: types only. `create-auth.ts` makes the values. */
import type { Kysely } from "kysely";
import type { BoundedCache } from "./crypto/bounded-cache.ts";
import type { RefreshTokens } from "./crypto/refresh-token.ts";
import type { SessionCookies } from "./crypto/session-cookie.ts";
import type { AccessTokens } from "./engine/access-tokens.ts";
import type { Breaker } from "./engine/breaker.ts";
import type { Feed } from "./engine/feed.ts";
import type { FeedPublisher } from "./engine/feed-publisher.ts";
import type { KeyRing } from "./engine/key-ring.ts";
import type { Limiter } from "./engine/limiter.ts";
import type { PasswordHasher } from "./engine/password-hasher.ts";
import type { Tally } from "./engine/tally.ts";
import type { Account } from "./flows/accounts/account.ts";
import type { Settings } from "./options.ts";
import type { SessionRow, Tables } from "./store/schema.ts";

/** The database, or a transaction on it: Kysely's type is the port. */
export type Db = Kysely<Tables>;

/** Epoch milliseconds. */
export type Now = () => number;

/** Cryptographically strong random bytes. */
export type RandomBytes = (length: number) => Uint8Array<ArrayBuffer>;

/** Structured logging, as pino has it: an object of fields, then a sentence. Never given a secret. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The parts that one `createAuth` put together. */
export interface Deps {
  readonly now: Now;
  readonly randomBytes: RandomBytes;
  readonly db: Db;
  readonly keys: KeyRing;
  readonly accessTokens: AccessTokens;
  readonly refreshTokens: RefreshTokens;
  readonly sessionCookies: SessionCookies;
  /** The access tokens that this node holds for session cookies. */
  readonly heldTokens: BoundedCache<string>;
  /** What accounts of our own table were at the version that is in them, by their ids. None changes without a new one. */
  readonly knownAccounts: BoundedCache<Account>;
  /** Sessions as this node last saw them, by their ids: whose they are, and their salt, never change. */
  readonly knownSessions: BoundedCache<SessionRow>;
  readonly feed: Feed;
  readonly feedPublisher: FeedPublisher;
  /** Through which a call asks the rows while the feed is behind. */
  readonly breaker: Breaker;
  readonly hasher: PasswordHasher;
  readonly limiter: Limiter;
  readonly tally: Tally;
  /** When this was put together. */
  readonly startedAt: number;
  /** What proves, as long as there is no account, who started this server. */
  readonly setupCode: string;
  readonly log: Log;
  readonly settings: Settings;
}

/** Where a request came from: for limits and the audit, never for identity. */
export interface Caller {
  /** The peer's IP address, or what a trusted proxy says of it; `null` when there is no network, as with `createCaller`. */
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
}
