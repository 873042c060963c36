/**
 * Limits on guessing. Attempts are counted in the database before the work they ask for, so that a restart forgets
 * nothing and a batch of 500 counts 500; an attempt that turns out to be honest is taken back. A node counts with one
 * connection: a flood of guesses at one name would otherwise wait for one row with all that it has.
 *
 * Written here and not taken from rate-limiter-flexible, whose stores read the machine's clock, use a connection of their
 * own outside our transactions, and keep the names that people typed.
 */
import { createHmac, type KeyObject } from "node:crypto";
import { AuthError } from "@countersign/shared";
import type { SessionId } from "@countersign/shared/schemas";
import type { Keys } from "../crypto/session-secret.ts";
import type { Db, Now } from "../deps.ts";
import { countAttempts, forgiveAttempts, isMarked, markKey } from "../store/attempts.ts";
import { transact } from "../store/transact.ts";
import { addressBlock } from "./address-block.ts";
import { inBatches } from "./in-batches.ts";

const minute = 60_000;
const loginWindowMs = 15 * minute;
const registrationWindowMs = 60 * minute;

export interface Limits {
  readonly loginsPerAccount: number;
  readonly loginsPerAddress: number;
  readonly loginsPerKnownDevice: number;
  readonly registrationsPerAddress: number;
}

/** A counted attempt. */
export interface Ticket {
  /** The attempt was honest, or nothing was compared after all: it is counted no longer. */
  takeBack(db?: Db): Promise<void>;
}

export interface Limiter {
  /**
   * Counts an attempt to sign in.
   *
   * A device is known by the address it signed in from before; it has a budget of its own, so that strangers cannot
   * lock an owner out.
   *
   * @param name What was typed, in its normal form. A username and an e-mail address have a budget each, even if they
   *   are the same account's: a shared one would tell whose address it is.
   * @throws {AuthError} `RATE_LIMITED`
   */
  takeLogin(name: string, address: string | null): Promise<Ticket>;
  /** Remembers that the owner of these names signed in from an address. Belongs in the transaction that starts the session. */
  rememberDevice(db: Db, names: readonly string[], address: string | null): Promise<void>;
  /** Counts an attempt to prove a password within a session. @throws {AuthError} `RATE_LIMITED` */
  takePasswordCheck(sessionId: SessionId): Promise<Ticket>;
  /** Counts a registration. @throws {AuthError} `RATE_LIMITED` */
  takeRegistration(address: string | null): Promise<void>;
}

interface Budget {
  readonly key: string;
  readonly limit: number;
  readonly windowMs: number;
}

/** An attempt that is about to be counted tells which budgets it uses. */
type Attempt = (trx: Db) => Promise<readonly Budget[]>;

/** An attempt that was counted: by which keys, and when the budgets that are used up begin anew; 0 when none is. */
interface Counted {
  readonly keys: readonly string[];
  readonly retryAt: number;
}

/** Counted together while a transaction holds their rows: few enough that nobody waits long for it. */
const attemptsAtOnce = 64;

/**
 * @param options.keys The first hides who tried what: names and addresses are kept only as HMACs. Devices that are known by
 *   another stay known.
 * @param options.knownDeviceMs How long a device stays known after a sign-in.
 */
export function createLimiter(options: {
  db: Db;
  now: Now;
  keys: Keys;
  limits: Limits;
  knownDeviceMs: number;
}): Limiter {
  const { db, now, keys, limits, knownDeviceMs } = options;

  const hideWith = (key: KeyObject, ...parts: string[]) =>
    createHmac("sha256", key).update(JSON.stringify(parts)).digest("base64url");
  const hide = (...parts: string[]) => hideWith(keys[0], ...parts);

  const isKnown = (db: Db, name: string, block: string) =>
    isMarked(
      db,
      keys.map((key) => hideWith(key, "known device", name, block)),
      now(),
    );

  const count = inBatches({
    atMost: attemptsAtOnce,
    work: (attempts: readonly Attempt[]) =>
      transact(db, (trx) => countAll(trx, attempts, now()), { isolation: "read committed" }),
  });

  async function take(attempt: Attempt): Promise<Ticket> {
    const { keys, retryAt } = await count(attempt);
    if (retryAt > 0)
      throw new AuthError("RATE_LIMITED", { retryAfter: Math.max(1, Math.ceil((retryAt - now()) / 1_000)) });
    return { takeBack: (within = db) => forgiveAttempts(within, keys) };
  }

  function budgetsOfStranger(name: string, block: string | null): Budget[] {
    const windowMs = loginWindowMs;
    const onName = { key: hide("login to account", name), limit: limits.loginsPerAccount, windowMs };
    if (block === null) return [onName];
    return [onName, { key: hide("login from address", block), limit: limits.loginsPerAddress, windowMs }];
  }

  function budgetOfKnownDevice(name: string, block: string): Budget {
    const key = hide("login by known device", name, block);
    return { key, limit: limits.loginsPerKnownDevice, windowMs: loginWindowMs };
  }

  return {
    async takeLogin(name, address) {
      const block = address === null ? null : addressBlock(address);
      return take(async (trx) =>
        block !== null && (await isKnown(trx, name, block))
          ? [budgetOfKnownDevice(name, block)]
          : budgetsOfStranger(name, block),
      );
    },

    async rememberDevice(db, names, address) {
      if (address === null) return;
      const block = addressBlock(address);
      for (const name of names) await markKey(db, hide("known device", name, block), now() + knownDeviceMs);
    },

    takePasswordCheck(sessionId) {
      const key = hide("password check in session", sessionId);
      return take(async () => [{ key, limit: limits.loginsPerKnownDevice, windowMs: loginWindowMs }]);
    },

    async takeRegistration(address) {
      if (address === null) return;
      const key = hide("registration from address", addressBlock(address));
      await take(async () => [{ key, limit: limits.registrationsPerAddress, windowMs: registrationWindowMs }]);
    },
  };
}

/** Counts attempts, each key once, and gives each attempt its place in the order in which they came. */
async function countAll(trx: Db, attempts: readonly Attempt[], now: number): Promise<(attempt: Attempt) => Counted> {
  const budgetsOf = new Map<Attempt, readonly Budget[]>();
  for (const attempt of attempts) budgetsOf.set(attempt, await attempt(trx));

  const budgetsByKey = Map.groupBy([...budgetsOf.values()].flat(), ({ key }) => key);
  const endOfUsedUp = new Map<Budget, number>();
  // In one order on all nodes, so that nobody waits crosswise.
  for (const [key, budgets] of [...budgetsByKey].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const times = budgets.length;
    const windowMs = Math.max(...budgets.map((budget) => budget.windowMs));
    const { count, expiresAt } = await countAttempts(trx, { key, times, now, windowMs });
    for (const [index, budget] of budgets.entries()) {
      if (count - times + index >= budget.limit) endOfUsedUp.set(budget, expiresAt);
    }
  }

  return (attempt) => {
    const budgets = budgetsOf.get(attempt) ?? [];
    const retryAt = Math.max(0, ...budgets.map((budget) => endOfUsedUp.get(budget) ?? 0));
    return { keys: budgets.map(({ key }) => key), retryAt };
  };
}
