/**
 * Limits on guessing. Attempts are counted in the database before the work they ask for, so that a restart forgets
 * nothing and a batch of 500 counts 500; an attempt that turns out to be honest is taken back.
 *
 * Written here and not taken from rate-limiter-flexible, whose stores read the machine's clock, use a connection of their
 * own outside our transactions, and keep the names that people typed.
 */
import { createHmac, type KeyObject } from "node:crypto";
import { AuthError } from "@countersign/shared";
import type { Db, Now } from "../deps.ts";
import { countAttempt, forgiveAttempts, isMarked, markKey } from "../store/attempts.ts";
import { addressBlock } from "./address-block.ts";

const minute = 60_000;
const loginWindowMs = 15 * minute;
const registrationWindowMs = 60 * minute;
const knownDeviceMs = 90 * 24 * 60 * minute;

export interface Limits {
  readonly loginsPerAccount: number;
  readonly loginsPerAddress: number;
  readonly loginsPerKnownDevice: number;
  readonly registrationsPerAddress: number;
}

/** A counted login attempt. */
export interface LoginTicket {
  /** The attempt was honest: takes it back, and remembers the device. Belongs in the transaction that starts the session. */
  honour(db: Db): Promise<void>;
  /** Nothing was compared after all, as when too many wait: takes the attempt back, and remembers nothing. */
  takeBack(): Promise<void>;
}

export interface Limiter {
  /**
   * Counts an attempt to sign in.
   *
   * A device is known by the address it signed in from before; it has a budget of its own, so that strangers cannot
   * lock an owner out.
   *
   * @throws {AuthError} `RATE_LIMITED`
   */
  takeLogin(login: string, address: string | null): Promise<LoginTicket>;
  /** Counts a registration. @throws {AuthError} `RATE_LIMITED` */
  takeRegistration(address: string | null): Promise<void>;
}

/** @param options.key Hides who tried what: names and addresses are kept only as HMACs. */
export function createLimiter(options: { db: Db; now: Now; key: KeyObject; limits: Limits }): Limiter {
  const { db, now, key, limits } = options;

  const hide = (...parts: string[]) => createHmac("sha256", key).update(JSON.stringify(parts)).digest("base64url");

  async function take(budgets: readonly { key: string; limit: number; windowMs: number }[]): Promise<void> {
    let retryAt = 0;
    await db.transaction().execute(async (trx) => {
      for (const { key, limit, windowMs } of budgets) {
        const { count, expiresAt } = await countAttempt(trx, { key, now: now(), windowMs });
        if (count > limit) retryAt = Math.max(retryAt, expiresAt);
      }
    });
    if (retryAt > 0)
      throw new AuthError("RATE_LIMITED", { retryAfter: Math.max(1, Math.ceil((retryAt - now()) / 1_000)) });
  }

  return {
    async takeLogin(login, address) {
      const block = address === null ? null : addressBlock(address);
      const known = block === null ? null : hide("known device", login, block);
      const isKnown = known !== null && (await isMarked(db, known, now()));
      const budgets =
        isKnown && block !== null
          ? [
              {
                key: hide("login by known device", login, block),
                limit: limits.loginsPerKnownDevice,
                windowMs: loginWindowMs,
              },
            ]
          : [
              { key: hide("login to account", login), limit: limits.loginsPerAccount, windowMs: loginWindowMs },
              ...(block === null
                ? []
                : [
                    { key: hide("login from address", block), limit: limits.loginsPerAddress, windowMs: loginWindowMs },
                  ]),
            ];
      await take(budgets);
      const keys = budgets.map(({ key }) => key);
      return {
        takeBack: () => forgiveAttempts(db, keys),
        async honour(db) {
          await forgiveAttempts(db, keys);
          if (known !== null) await markKey(db, known, now() + knownDeviceMs);
        },
      };
    },

    async takeRegistration(address) {
      if (address === null) return;
      const key = hide("registration from address", addressBlock(address));
      await take([{ key, limit: limits.registrationsPerAddress, windowMs: registrationWindowMs }]);
    },
  };
}
