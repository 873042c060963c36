/**
 * Limits on guessing. Attempts are counted in the database before the work they ask for, so that a restart forgets
 * nothing and a batch of 500 counts 500; an attempt that turns out to be honest is taken back.
 *
 * Written here and not taken from rate-limiter-flexible, whose stores read the machine's clock, use a connection of their
 * own outside our transactions, and keep the names that people typed.
 */
import { createHmac, type KeyObject } from "node:crypto";
import { AuthError } from "@countersign/shared";
import type { SessionId } from "@countersign/shared/schemas";
import type { Db, Now } from "../deps.ts";
import { countAttempt, forgiveAttempts, isMarked, markKey } from "../store/attempts.ts";
import { addressBlock } from "./address-block.ts";

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

/**
 * @param options.key Hides who tried what: names and addresses are kept only as HMACs.
 * @param options.knownDeviceMs How long a device stays known after a sign-in.
 */
export function createLimiter(options: {
  db: Db;
  now: Now;
  key: KeyObject;
  limits: Limits;
  knownDeviceMs: number;
}): Limiter {
  const { db, now, key, limits, knownDeviceMs } = options;

  const hide = (...parts: string[]) => createHmac("sha256", key).update(JSON.stringify(parts)).digest("base64url");
  const deviceOf = (name: string, block: string) => hide("known device", name, block);

  async function take(budgets: readonly Budget[]): Promise<Ticket> {
    let retryAt = 0;
    await db.transaction().execute(async (trx) => {
      for (const { key, limit, windowMs } of budgets) {
        const { count, expiresAt } = await countAttempt(trx, { key, now: now(), windowMs });
        if (count > limit) retryAt = Math.max(retryAt, expiresAt);
      }
    });
    if (retryAt > 0)
      throw new AuthError("RATE_LIMITED", { retryAfter: Math.max(1, Math.ceil((retryAt - now()) / 1_000)) });
    const keys = budgets.map(({ key }) => key);
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
      if (block !== null && (await isMarked(db, deviceOf(name, block), now())))
        return take([budgetOfKnownDevice(name, block)]);
      return take(budgetsOfStranger(name, block));
    },

    async rememberDevice(db, names, address) {
      if (address === null) return;
      const block = addressBlock(address);
      for (const name of names) await markKey(db, deviceOf(name, block), now() + knownDeviceMs);
    },

    takePasswordCheck(sessionId) {
      const key = hide("password check in session", sessionId);
      return take([{ key, limit: limits.loginsPerKnownDevice, windowMs: loginWindowMs }]);
    },

    async takeRegistration(address) {
      if (address === null) return;
      const key = hide("registration from address", addressBlock(address));
      await take([{ key, limit: limits.registrationsPerAddress, windowMs: registrationWindowMs }]);
    },
  };
}
