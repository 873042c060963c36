/**
 * What `createAuth` takes: options with their defaults, checked when the object is made. Misuse is a `TypeError` then,
 * and names every mistake at once; it is never found at the first login.
 */
import { type AccountId, Role, ScopeName } from "@countersign/shared/schemas";
import { z } from "zod";
import type { Secrets } from "./crypto/sealing.ts";
import { signingAlgorithms } from "./crypto/signing-key.ts";
import type { Log } from "./deps.ts";
import { sentencesOf } from "./input-issues.ts";
import { createDefaultLog } from "./log.ts";
import { decodeSecret, secretRule } from "./master-secret.ts";
import type { Database } from "./store/database.ts";

/** The one role that is always there: it may call `users.*`. */
export const adminRole = "admin";

const seconds = z.int().positive();

/** What an issuer must be, for people. */
export const issuerRule =
  "an http or https URL without a trailing slash, query or fragment, as in https://auth.example.com";

/** RFC 8414 §2, with http allowed for development. */
export function isIssuer(url: string): boolean {
  return /^https?:\/\/[^/?#]/.test(url) && URL.canParse(url) && !/[?#]|\/$/.test(url);
}

function secretNamed(name: string) {
  return z.custom<string | (() => string)>(
    (value) => typeof value === "function" || (typeof value === "string" && decodeSecret(value) !== null),
    `"${name}" must be ${secretRule}, or a function that returns them`,
  );
}

const Plain = z.object({
  /** What `iss` of every token says: the URL under which this server is known, without a trailing slash. */
  issuer: z.string().refine(isIssuer, `"issuer" must be ${issuerRule}`),
  /** What `aud` of every token says. Default: the issuer. */
  audience: z.string().min(1).optional(),
  /**
   * The master secret: at least 32 random bytes, base64url (`countersign secret` makes one), or a function that returns
   * it, called once at the start. Every other key is derived from it.
   */
  secret: secretNamed("secret"),
  /**
   * Other master secrets whose tokens, cookies and keys are taken too, and that make nothing new: the next one before
   * `secret` is changed on every node, and the one before until everything of it has ended. Default: none.
   */
  acceptedSecrets: z.array(secretNamed("acceptedSecrets")).readonly().default([]),
  /** How access tokens are signed. Default: `"EdDSA"`. `"HS256"` has no public key, so no other service can verify. */
  algorithm: z.enum(signingAlgorithms).default("EdDSA"),
  /** Whether access tokens are encrypted too (a JWE around the JWT), so that only holders of the secret can read them. Default: `false`. */
  encryptAccessTokens: z.boolean().default(false),
  /** How long an access token lives. Default: 900 (15 minutes). */
  accessTtlSeconds: seconds.max(86_400).default(900),
  /**
   * How long a session lives without being used, to within an hour, or a tenth of it where that is less. Default: 2,592,000 (30
   * days).
   */
  refreshTtlSeconds: seconds.default(2_592_000),
  /** How long a session lives at most, however often it is used. Default: 31,536,000 (365 days). */
  sessionTtlSeconds: seconds.default(31_536_000),
  /** How long after a rotation the refresh token before it still gets the same successor. Default: 30. */
  refreshGraceSeconds: z.int().min(0).max(300).default(30),
  /** How far clocks may be apart. Default: 5. */
  clockToleranceSeconds: z.int().min(0).max(60).default(5),
  /** Whether strangers may register. Default: `"open"`. */
  registration: z.enum(["open", "closed"]).default("open"),
  /** The shortest password that may be set. Default: 8; NIST SP 800-63B-4 asks for 15 where a password is all there is. */
  minPasswordLength: z.int().min(8).max(64).default(8),
  /** What a signed-in call gets when the feed is stale and the database is gone: `"open"` trusts the signature until `exp`, `"closed"` answers 503. Default: `"open"`. */
  onStoreDown: z.enum(["open", "closed"]).default("open"),
  /** Argon2id's cost. Default: 19,456 KiB, 2 passes, 1 lane (OWASP). Hashes of another cost are upgraded at the next login. */
  passwordHashing: z
    .strictObject({
      memoryKiB: z.int().min(8).max(4_194_304).default(19_456),
      iterations: z.int().min(1).max(1_000).default(2),
      parallelism: z.int().min(1).max(255).default(1),
      /** Hashes at once. Default: one less than the processors, at least one and at most eight. */
      concurrency: z.int().min(1).optional(),
      /** Hashes that may wait; past that, sign-ins get `BUSY`. Default: 64. */
      queue: z.int().min(0).default(64),
    })
    // RFC 9106 §3.1.
    .refine(
      ({ memoryKiB, parallelism }) => memoryKiB >= 8 * parallelism,
      '"memoryKiB" must be 8 times "parallelism" or more',
    )
    .prefault({}),
  /** Attempts that fail before an answer is `RATE_LIMITED`. A sign-in that succeeds costs nothing. */
  limits: z
    .strictObject({
      /** By strangers on one username or e-mail address, in 15 minutes. Default: 20. */
      loginsPerAccount: z.int().min(1).default(20),
      /** From one address (IPv6: one /64), in 15 minutes. Default: 100. */
      loginsPerAddress: z.int().min(1).default(100),
      /**
       * From an address that signed in to this account before, in 15 minutes: strangers cannot use it up. Wrong current
       * passwords at a change of password count the same, by session. Default: 20.
       */
      loginsPerKnownDevice: z.int().min(1).default(20),
      /** Registrations from one address, in an hour. Default: 50. */
      registrationsPerAddress: z.int().min(1).default(50),
    })
    .prefault({}),
  /** How long audit rows are kept. Default: 34,128,000 (395 days). */
  auditRetentionSeconds: seconds.default(34_128_000),
  /** How long an account is kept whose owner asked for it to be deleted, and may change their mind. Default: 1,209,600 (14 days). */
  deletionGraceSeconds: z.int().min(0).default(1_209_600),
  /** How long an ended session is kept, so that its last refresh token still gets an answer that says why. Default: 604,800 (7 days). */
  endedSessionRetentionSeconds: seconds.default(604_800),
  /** How long a signing key signs before the next one is made. Default: 7,776,000 (90 days). */
  keyLifetimeSeconds: seconds.default(7_776_000),
  scopes: z.record(ScopeName, z.string()).default({}),
  roles: z
    .record(Role, z.strictObject({ description: z.string().default(""), scopes: z.array(ScopeName).default([]) }))
    .default({}),
});

/** An account as the application's own user table knows it. */
export interface ApplicationAccount {
  /** The application's own id of the user: becomes `sub`. At most 128 characters. */
  readonly id: string;
  readonly username: string;
  readonly email?: string | null;
  readonly roles?: readonly string[];
  /** A number that grows when the user's roles change or the user is locked, as `updatedAt.getTime()`. Default: 0. */
  readonly version?: number;
}

/** What `claims` is given: the account that a token is made for. */
export interface ClaimsSubject {
  readonly id: AccountId;
  readonly username: string;
  readonly email: string | null;
  readonly roles: readonly string[];
}

/** Claims that would arrive as something else than their type says do not compile. */
export interface JsonClaims<Claims extends object> {
  readonly claims?: (account: ClaimsSubject) => Json<NoInfer<Claims>> | Promise<Json<NoInfer<Claims>>>;
}

/** What JSON brings over as it is. What it would change or drop (a `Date`, a `Map`, a function, a `bigint`) is `never`. */
type Json<Value> = Value extends string | number | boolean | null | undefined
  ? Value
  : Value extends bigint | symbol | NotPlain
    ? never
    : { readonly [Key in keyof Value]: Json<Value[Key]> };

type NotPlain = Date | RegExp | ReadonlyMap<never, unknown> | ReadonlySet<never> | ((...inputs: never[]) => unknown);

/** Scopes by name, each with a sentence for people: what it lets a token do. */
export type ScopeOptions = Readonly<Record<string, string>>;

/** Roles by name. A scope that some role grants is had only through a role; every other scope is everyone's. */
export type RoleOptions<Scope extends string = string> = Readonly<
  Record<string, { readonly description?: string; readonly scopes?: readonly NoInfer<Scope>[] }>
>;

interface Typed<Scopes extends ScopeOptions, Roles extends RoleOptions, Claims extends object> {
  /** Where accounts and sessions live: `sqlite("file:./data/app.db")`. */
  readonly database: Database;
  /** The scopes that exist, each with a sentence for people. An undeclared scope does not compile. Default: none. */
  readonly scopes?: Scopes;
  /** The roles that exist, beside `admin`, and the scopes that only they grant. Default: none. */
  readonly roles?: Roles & RoleOptions<Extract<keyof Scopes, string>>;
  /**
   * Adds claims to every access token; they arrive typed in `ctx.principal.claims`. Called at sign-in and at every
   * refresh. A token is JSON, so claims are too.
   */
  readonly claims?: (account: ClaimsSubject) => Claims | Promise<Claims>;
  /**
   * Replaces our accounts by the application's own user table. Returns the user whose password this is, or `null`, and
   * should take the same time for both. What it throws is a 500, and still an attempt that counts. Needs `findAccount`.
   */
  readonly authenticate?: (credentials: { username: string; password: string }) => Promise<ApplicationAccount | null>;
  /** The user as they are now, or `null` when they may not stay signed in. Called at every refresh. Needs `authenticate`. */
  readonly findAccount?: (id: string) => Promise<ApplicationAccount | null>;
  /** Where to log: pino, or what looks like it. Default: warnings and errors to standard error. */
  readonly log?: Log;
}

/** The options of `createAuth`. Only `database`, `secret` and `issuer` have no default. */
export type AuthOptions<
  Scopes extends ScopeOptions = ScopeOptions,
  Roles extends RoleOptions = RoleOptions,
  Claims extends object = object,
> = Omit<z.input<typeof Plain>, "scopes" | "roles"> & Typed<Scopes, Roles, Claims>;

/** The options with every default filled in. */
export type Settings = Readonly<Omit<z.output<typeof Plain>, "audience" | "secret" | "acceptedSecrets">> &
  Readonly<Pick<Typed<ScopeOptions, RoleOptions, object>, "claims" | "authenticate" | "findAccount">> & {
    readonly audience: string;
  };

/**
 * Checks options and fills in the defaults.
 *
 * @throws {TypeError} naming every option that is wrong.
 */
export function resolveOptions(options: AuthOptions): {
  readonly settings: Settings;
  /** Takes the master secrets. @throws {TypeError} when a function returned none. */
  readonly secrets: () => Secrets;
  readonly database: Database;
  readonly log: Log;
} {
  const { database, claims, authenticate, findAccount, log = createDefaultLog(), ...plain } = options;
  const parsed = Plain.strict().safeParse(plain);
  const mistakes = parsed.error ? sentencesOf(parsed.error) : [];
  if (typeof database?.open !== "function")
    mistakes.push('"database" must be a database, as from sqlite("file:./data/app.db")');
  for (const [name, value] of Object.entries({ claims, authenticate, findAccount })) {
    if (value !== undefined && typeof value !== "function") mistakes.push(`"${name}" must be a function`);
  }
  if ((authenticate === undefined) !== (findAccount === undefined)) {
    mistakes.push('"authenticate" and "findAccount" need each other: set both, or neither');
  }
  if (parsed.success) mistakes.push(...undeclaredScopes(parsed.data), ...impossibleLifetimes(parsed.data));
  if (!parsed.success || mistakes.length > 0) throw new TypeError(`createAuth: ${mistakes.join("; ")}`);

  const { secret, acceptedSecrets, audience, ...rest } = parsed.data;
  const settings = {
    ...rest,
    audience: audience ?? rest.issuer,
    ...(claims && { claims }),
    ...(authenticate && { authenticate }),
    ...(findAccount && { findAccount }),
  };
  return { settings, secrets: () => [takeSecret(secret), ...acceptedSecrets.map(takeSecret)], database, log };
}

function takeSecret(secret: string | (() => string)): Uint8Array {
  const bytes = decodeSecret(typeof secret === "string" ? secret : secret());
  if (bytes === null) throw new TypeError(`createAuth: "secret" must return ${secretRule}`);
  return bytes;
}

function undeclaredScopes({ scopes, roles }: z.output<typeof Plain>): string[] {
  return Object.entries(roles).flatMap(([role, { scopes: granted }]) =>
    granted
      .filter((scope) => !Object.hasOwn(scopes, scope))
      .map((scope) => `"roles.${role}" grants "${scope}", which "scopes" does not declare`),
  );
}

function impossibleLifetimes(plain: z.output<typeof Plain>): string[] {
  const mistakes: string[] = [];
  if (plain.refreshTtlSeconds > plain.sessionTtlSeconds)
    mistakes.push('"refreshTtlSeconds" must not exceed "sessionTtlSeconds"');
  if (plain.accessTtlSeconds > plain.refreshTtlSeconds)
    mistakes.push('"accessTtlSeconds" must not exceed "refreshTtlSeconds"');
  return mistakes;
}
