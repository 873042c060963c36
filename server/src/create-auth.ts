/** The only place where parts are put together, and taken apart again. */
import { createSecretKey } from "node:crypto";
import { AuthError, type Principal } from "@countersign/shared";
import { BoundedCache } from "./crypto/bounded-cache.ts";
import { createRandomBytes } from "./crypto/random-bytes.ts";
import { createRefreshTokens } from "./crypto/refresh-token.ts";
import { deriveKey, type KeyLabel } from "./crypto/sealing.ts";
import { createSessionCookies } from "./crypto/session-cookie.ts";
import type { Keys } from "./crypto/session-secret.ts";
import { setupCodeOf } from "./crypto/setup-code.ts";
import type { Caller, Deps, Log, Now, RandomBytes } from "./deps.ts";
import { createAccessTokens } from "./engine/access-tokens.ts";
import { type Argon2, createArgon2Threads } from "./engine/argon2-threads.ts";
import { createBreaker } from "./engine/breaker.ts";
import { startFeed } from "./engine/feed.ts";
import { createFeedPublisher } from "./engine/feed-publisher.ts";
import { createKeyRing, type KeyRing } from "./engine/key-ring.ts";
import { createLimiter } from "./engine/limiter.ts";
import { createPasswordHasher } from "./engine/password-hasher.ts";
import { repeat } from "./engine/repeat.ts";
import { createTally } from "./engine/tally.ts";
import { announceAccountChange } from "./flows/accounts/announce-change.ts";
import { feedHorizonMs, keepHouseInTurn } from "./flows/housekeeping.ts";
import {
  type AuthOptions,
  adminRole,
  type JsonClaims,
  type RoleOptions,
  resolveOptions,
  type ScopeOptions,
  type Settings,
} from "./options.ts";
import { startOrRefuse } from "./start-or-refuse.ts";
import { checkCatalogue } from "./store/catalogue.ts";
import type { FeedLine } from "./store/database.ts";
import { migrate } from "./store/migrate.ts";
import { type AuthContext, contextOf, type RequestLike } from "./trpc/context.ts";
import { toTRPCError } from "./trpc/errors.ts";
import type { ReasonsOfDemands } from "./trpc/guard-reasons.ts";
import {
  checkRequirements,
  makeGuardedProcedure,
  makePublicProcedure,
  type ProtectedProcedure,
  type PublicProcedure,
  type Requirements,
} from "./trpc/guards.ts";
import { t } from "./trpc/init.ts";
import { type AccountRouter, accountRouter } from "./trpc/routers/account.ts";
import { type AdminRouter, adminRouter } from "./trpc/routers/admin.ts";
import { type AuthRouter, authRouter } from "./trpc/routers/auth.ts";
import { type UsersRouter, usersRouter } from "./trpc/routers/users.ts";

/** What `createAuth` returns. */
export interface Auth<Scope extends string = string, Role extends string = string, Claims extends object = object> {
  /** Sign-up, sign-in and what belongs to it. Mount it as `auth`: `t.router({ auth: auth.router })`. */
  readonly router: AuthRouter;
  /** What a person may do to their own account: change it, have it deleted, see what happened. Mount it as `account`, or not at all. */
  readonly accountRouter: AccountRouter;
  /** Accounts, for role `admin`. Mount it as `users`, or not at all. */
  readonly usersRouter: UsersRouter;
  /** The audit, the signing keys and the health of the server, for role `admin`. Mount it as `admin`, or not at all. */
  readonly adminRouter: AdminRouter;
  /** A tRPC root for applications without one of their own: `auth.t.router({ … })`. */
  readonly t: typeof t;
  /** The base of procedures for everyone. Works on its own, and by `.concat()` on a procedure of your own `t`. */
  readonly publicProcedure: PublicProcedure;
  /** The base of procedures for signed-in callers. Works on its own, and by `.concat()` on a procedure of your own `t`. */
  readonly protectedProcedure: ProtectedProcedure<Principal<Scope, Role, Claims>>;
  /**
   * A guard that demands more than a sign-in. An undeclared scope or role does not compile.
   *
   * @throws {AuthError} at a call: `INSUFFICIENT_SCOPE`, `INSUFFICIENT_ROLE`, `FRESH_LOGIN_REQUIRED`, beside what
   *   `protectedProcedure` throws.
   *
   * @example
   * ```ts
   * const writer = auth.requires({ scope: "notes:write" });
   * const administrator = t.procedure.concat(auth.requires({ role: "admin", maxAge: 300 }));
   * ```
   */
  requires<S extends Scope = never, R extends Role = never, MaxAge extends number = never>(
    requirements: Requirements<S, R, MaxAge>,
  ): ProtectedProcedure<Principal<Scope, Role, Claims>, ReasonsOfDemands<S, R, MaxAge>>;
  /** `createContext` for tRPC's fetch and Node adapters. Verifies nothing by itself, so public procedures cost nothing. */
  readonly createContext: (request: RequestLike) => Promise<AuthContext>;
  /**
   * Says that a user of the application's own table has changed: their roles, or that they may no longer sign in. Access
   * tokens of an older `version` stop being good at once, and a sign-in that was under way is refused. With
   * `endSessions`, all their sessions end. The version is what `authenticate` and `findAccount` return from now on.
   *
   * @throws {TypeError} when `version` is not a whole number from 0, or `id` is empty.
   */
  accountChanged(account: { id: string; version: number; endSessions?: boolean }): Promise<void>;
  /**
   * With the parts that it started, for Countersign itself.
   *
   * @internal
   */
  start(): Promise<Deps>;
  /** Opens the database, migrates it and loads the keys: once, however often it is called. The first request does so by itself. */
  start(): Promise<object>;
  /** Stops the timers and closes the database, for good: requests from then on are `UNAVAILABLE`. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
  /** Where everything of this auth is logged. */
  readonly log: Log;
  /** The options that this was made with. The secret is behind a function, so that printing them does not print it. */
  readonly options: AuthOptions;
}

/** What is not a pure function: replaced in tests, and nowhere else. */
export interface Effects {
  readonly now: Now;
  readonly randomBytes: RandomBytes;
  readonly argon2: Argon2;
  /** Calls back again and again until stopped. */
  readonly every: (milliseconds: number, work: () => void) => { stop(): void };
}

/** The machine's own. */
export const realEffects: Effects = {
  now: () => Date.now(),
  randomBytes: createRandomBytes(),
  argon2: createArgon2Threads(),
  every(milliseconds, work) {
    const timer = setInterval(work, milliseconds);
    timer.unref();
    return { stop: () => clearInterval(timer) };
  },
};

const feedPollMs = 1_000;
/** Often, so that it comes round also where processes are replaced every hour; with nothing to do it is a few statements. */
const housekeepingMs = 300_000;
const tallyMs = 60_000;
/** A device stays known while a session that began on it may live, and 90 days more. */
const knownDeviceMs = ({ sessionTtlSeconds }: Settings) => (sessionTtlSeconds + 90 * 86_400) * 1_000;
const nobody: Caller = { address: null, userAgent: null, requestId: null };

/**
 * Makes the sign-in of an application: routers to mount, guards for procedures, and the engine behind them. Nothing is
 * opened before the first request, or `start()`.
 *
 * @throws {TypeError} naming every option that is wrong.
 *
 * @example
 * ```ts
 * export const auth = createAuth({
 *   database: sqlite("file:./data/app.db"),
 *   secret,
 *   issuer: "https://app.example",
 *   scopes: { "notes:write": "Write your notes" },
 * });
 * ```
 */
export function createAuth<
  const Scopes extends ScopeOptions = Record<never, string>,
  const Roles extends RoleOptions = Record<never, object>,
  Claims extends object = object,
>(
  options: AuthOptions<Scopes, Roles, Claims> & JsonClaims<Claims>,
): Auth<Extract<keyof Scopes, string>, Extract<keyof Roles, string> | typeof adminRole, Claims> {
  return assemble(options, realEffects);
}

/** Puts the parts together with the effects given. */
export function assemble<Scope extends string, Role extends string, Claims extends object>(
  options: AuthOptions,
  effects: Effects,
): Auth<Scope, Role, Claims> {
  const resolved = resolveOptions(options);
  const { secret, acceptedSecrets } = options;
  const { scopes, roles } = resolved.settings;
  const declared = { scopes: Object.keys(scopes), roles: [adminRole, ...Object.keys(roles)] };
  let started: { readonly running: Promise<Running>; readonly deps: Promise<Deps> } | undefined;
  let closed = false;

  function start() {
    const running = startParts(resolved, effects);
    // The next request tries again: a database that was away may be back.
    running.catch(() => {
      started = undefined;
    });
    return { running, deps: running.then(({ deps }) => deps) };
  }

  /** The same promise for all who ask: each more on the way of a request is a part of what it takes. */
  const startDeps = (): Promise<Deps> => {
    if (closed) return Promise.reject(new Error("this auth was closed"));
    started ??= start();
    return started.deps;
  };

  const close = async () => {
    const running = started?.running;
    started = undefined;
    closed = true;
    await (await running)?.stop();
  };

  return {
    router: authRouter,
    accountRouter,
    usersRouter,
    adminRouter,
    t,
    publicProcedure: makePublicProcedure(),
    protectedProcedure: makeGuardedProcedure<Principal<Scope, Role, Claims>>({}),
    requires: (requirements) => makeGuardedProcedure(checkRequirements(requirements, declared)),
    createContext: (request) => startOrRefuse(startDeps, resolved.log).then((deps) => contextOf(deps, request), refuse),
    accountChanged: async (change) => announceAccountChange(await startDeps(), change, nobody),
    start: startDeps,
    close,
    [Symbol.asyncDispose]: close,
    log: resolved.log,
    options: {
      ...options,
      secret: hidden(secret),
      ...(acceptedSecrets && { acceptedSecrets: acceptedSecrets.map(hidden) }),
    },
  };
}

/** Behind a function, so that printing the options does not print it. */
function hidden(secret: string | (() => string)): () => string {
  return typeof secret === "string" ? () => secret : secret;
}

interface Running {
  readonly deps: Deps;
  stop(): Promise<void>;
}

async function startParts(
  { settings, secrets: takeSecrets, database, log }: ReturnType<typeof resolveOptions>,
  { now, randomBytes, argon2, every }: Effects,
): Promise<Running> {
  const secrets = takeSecrets();
  const keysFor = (label: KeyLabel): Keys => {
    const [current, ...accepted] = secrets;
    const key = (secret: Uint8Array) => createSecretKey(deriveKey(secret, label, 32));
    return [key(current), ...accepted.map(key)];
  };
  const hasher = createPasswordHasher(settings.passwordHashing, { argon2, randomBytes });
  const db = await database.open();
  let line: FeedLine | undefined;
  try {
    line = await database.openFeedLine?.();
    await migrate(db, { now, onProgress: ({ id, name, state }) => log.info({}, `${state} migration ${id} (${name})`) });
    await checkCatalogue(db);
    const keys = await createKeyRing({ ...settings, db, now, randomBytes, secrets });
    const feed = await startFeed({
      db,
      line,
      now,
      horizonMs: feedHorizonMs(settings),
      onKeysChanged: keys.reload,
      onMoved: (place) =>
        log.error(
          { place },
          `everything was moved to ${place}: this server refuses until it is started on that database`,
        ),
    });
    warnOfAlgorithm(keys, { settings, log });
    // A key that was made after the ring was loaded and before the feed was followed is in neither.
    await keys.reload();
    const deps: Deps = {
      now,
      randomBytes,
      db,
      keys,
      feed,
      breaker: createBreaker(),
      feedPublisher: createFeedPublisher({ feed, keys, issuer: settings.issuer }),
      accessTokens: createAccessTokens({
        ...settings,
        keys,
        now,
        randomBytes,
        secrets,
        encrypt: settings.encryptAccessTokens,
      }),
      refreshTokens: createRefreshTokens(keysFor("refresh tokens")),
      sessionCookies: createSessionCookies(keysFor("session cookies")),
      heldTokens: new BoundedCache(),
      knownAccounts: new BoundedCache(),
      knownSessions: new BoundedCache(),
      hasher,
      limiter: createLimiter({
        db,
        now,
        keys: keysFor("attempts"),
        limits: settings.limits,
        knownDeviceMs: knownDeviceMs(settings),
      }),
      tally: createTally({ db, now }),
      startedAt: now(),
      setupCode: setupCodeOf(secrets),
      log,
      settings,
    };
    const effects = { every, log };
    const repeated = [
      repeat(feed.catchUp, { ...effects, milliseconds: feedPollMs, complaint: "the feed could not be read" }),
      repeat(() => keepHouseInTurn(deps, housekeepingMs), {
        ...effects,
        milliseconds: housekeepingMs,
        complaint: "housekeeping failed",
      }),
      repeat(deps.tally.write, { ...effects, milliseconds: tallyMs, complaint: "counts could not be kept" }),
    ];
    const ticking = every(feedPollMs, feed.tick);
    return {
      deps,
      async stop() {
        ticking.stop();
        feed.stop();
        await Promise.all(repeated.map(({ stop }) => stop()));
        await deps.tally.write().catch((error: unknown) => log.warn({ err: error }, "the last counts are lost"));
        await Promise.all([line?.close(), db.destroy()]);
      },
    };
  } catch (error) {
    await Promise.all([line?.close(), db.destroy()]);
    throw error;
  }
}

/** tRPC tells an application's own formatter of a context that fails by the code alone. */
function refuse(error: unknown): never {
  throw error instanceof AuthError ? toTRPCError(error) : error;
}

/** Another algorithm is for the next key: a command that was run without the server's environment must not make one. */
function warnOfAlgorithm(keys: KeyRing, { settings, log }: { settings: Settings; log: Log }): void {
  const { algorithm } = keys.current();
  if (algorithm === settings.algorithm) return;
  log.warn(
    {},
    `tokens are signed with ${algorithm}, and "algorithm" is ${settings.algorithm}: run countersign keys rotate`,
  );
}
