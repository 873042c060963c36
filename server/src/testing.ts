/** For tests of routers that Countersign guards: a real auth on an in-memory database, and a clock that tests turn. */
import { createHash } from "node:crypto";
import type { AccountId } from "@countersign/shared/schemas";
import * as argon2 from "@node-rs/argon2";
import { type Auth, assemble } from "./create-auth.ts";
import { newId } from "./crypto/id.ts";
import type { Caller, Deps, Log } from "./deps.ts";
import { type Account, findAccount, fromRow } from "./flows/accounts/account.ts";
import { checkRoles } from "./flows/accounts/check-roles.ts";
import { usernameKey } from "./flows/accounts/normalise.ts";
import { checkRequestedScope } from "./flows/sessions/grant-scopes.ts";
import { startSession } from "./flows/sessions/start-session.ts";
import type { AuthOptions } from "./options.ts";
import { findAccountByKey, insertAccount } from "./store/accounts.ts";
import type { Database } from "./store/database.ts";
import { sqlite } from "./store/sqlite.ts";
import { type AuthContext, makeContext } from "./trpc/context.ts";
import { withoutCookies } from "./trpc/session-cookie.ts";

/** A time that stands still until it is turned. */
export interface TestClock {
  /** Epoch milliseconds. */
  now(): number;
  /** Turns the clock, and lets the server notice what a running one would have. */
  advance(by: {
    readonly seconds?: number;
    readonly minutes?: number;
    readonly hours?: number;
    readonly days?: number;
  }): Promise<void>;
}

/** Who signs in for a test. */
export interface TestUser {
  readonly username: string;
  /** Default: none. */
  readonly roles?: readonly string[];
  /** Default: all that the roles allow. */
  readonly scopes?: readonly string[];
}

/** What `createTestAuth` returns. */
export interface TestAuth {
  readonly auth: Auth;
  readonly clock: TestClock;
  /**
   * Signs a user in, with an account made at the first mention, and returns the context of their calls.
   *
   * @throws {AuthError} `BAD_REQUEST` for a role or a scope that the options do not declare.
   *
   * @example
   * ```ts
   * await using test = await createTestAuth(auth.options);
   * const alice = auth.router.createCaller(await test.asUser("alice"));
   * expect(await alice.me()).toMatchObject({ username: "alice" });
   * ```
   */
  asUser(user: string | TestUser): Promise<AuthContext>;
  /** The context of a caller who is not signed in. */
  asNobody(): AuthContext;
  [Symbol.asyncDispose](): Promise<void>;
}

const nobody: Caller = { address: null, userAgent: null, requestId: null };
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const secret = Buffer.from("0123456789abcdef".repeat(2)).toString("base64url");
const cheapHashing = { memoryKiB: 8, iterations: 1, parallelism: 1 };
const startOfTime = Date.UTC(2026, 0, 1);

/**
 * Makes an auth for tests: SQLite in memory, cheap hashing, seeded randomness, and a clock that tests turn. Everything
 * else is the real thing, so a token of a test is signed, verified, expired and revoked like any other.
 *
 * @param options The options of the application's own auth (`auth.options`), or some of them. Its database is not touched.
 * @param replaced `database`: another one than SQLite in memory. `seed`: of the randomness; where several auths have one database,
 *   each needs a seed of its own, or their ids would be the same. Default: `"countersign"`.
 */
export async function createTestAuth(
  options: Partial<AuthOptions> = {},
  {
    database = sqlite(":memory:"),
    seed = "countersign",
  }: { readonly database?: Database; readonly seed?: string } = {},
): Promise<TestAuth> {
  let now = startOfTime;
  const auth: Auth = assemble(
    { issuer: "http://localhost:3000", log: silent, ...options, secret, database, passwordHashing: cheapHashing },
    { now: () => now, randomBytes: seededBytes(seed), argon2, every: () => ({ stop() {} }) },
  );
  const deps = await auth.start();
  return {
    auth,
    clock: {
      now: () => now,
      async advance({ seconds = 0, minutes = 0, hours = 0, days = 0 }) {
        now += (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000;
        await deps.feed.catchUp();
      },
    },
    async asUser(user) {
      const { username, roles = [], scopes = [] } = typeof user === "string" ? { username: user } : user;
      checkRoles(deps.settings, roles);
      checkRequestedScope(deps.settings, scopes.join(" "));
      const account = await ensureAccount(deps, { username, roles });
      const started = await startSession(deps, account, { caller: nobody, amr: ["pwd"], scope: scopes.join(" ") });
      return makeContext(deps, withoutCookies(`Bearer ${await started.accessToken.accessToken}`), nobody);
    },
    asNobody: () => makeContext(deps, withoutCookies(null), nobody),
    [Symbol.asyncDispose]: () => auth.close(),
  };
}

async function ensureAccount(
  deps: Deps,
  { username, roles }: { username: string; roles: readonly string[] },
): Promise<Account> {
  if (deps.settings.findAccount !== undefined) {
    const account = await findAccount(deps, username as AccountId);
    if (account === null) throw new TypeError(`asUser: "findAccount" knows no account with the id "${username}"`);
    return account;
  }
  const key = usernameKey(username);
  const existing = await findAccountByKey(deps.db, "username_key", key);
  if (existing !== null) return fromRow(existing);
  const now = deps.now();
  const row = {
    id: newId(now, deps.randomBytes(16)) as AccountId,
    username,
    username_key: key,
    email: null,
    email_key: null,
    password_hash: null,
    roles: JSON.stringify(roles),
    version: 1,
    disabled_at: null,
    password_expires_at: null,
    temporary_hash: null,
    created_at: now,
    updated_at: now,
  };
  await insertAccount(deps.db, row);
  return fromRow(row);
}

/** Bytes that look random and are the same in every run. */
function seededBytes(seed: string): (length: number) => Uint8Array<ArrayBuffer> {
  let calls = 0;
  return (length) => {
    calls += 1;
    return new Uint8Array(createHash("shake256", { outputLength: length }).update(`${seed} ${calls}`).digest());
  };
}
