/** Argon2id in a bounded queue: hashing never starves signed-in traffic, and a flood is answered instead of gathered. */
import { availableParallelism } from "node:os";
import { AuthError } from "@countersign/shared";
import pLimit from "p-limit";
import { comparerOf } from "../crypto/foreign-hash.ts";
import type { RandomBytes } from "../deps.ts";
import type { Argon2 } from "./argon2-threads.ts";

/** Argon2id's cost, and how much of it may run and wait at once. */
export interface HashingOptions {
  readonly memoryKiB: number;
  readonly iterations: number;
  readonly parallelism: number;
  readonly concurrency?: number | undefined;
  readonly queue: number;
}

export interface PasswordHasher {
  /** Hashes a password to a PHC string. @throws {AuthError} `BUSY` when the queue is full. */
  hash(password: string): Promise<string>;
  /**
   * Compares a password with a stored hash. With `null` it does the same work against a stand-in and answers `false`,
   * so that both answers take the same time (ASVS 5.0 6.3.8).
   *
   * @throws {AuthError} `BUSY` when the queue is full.
   */
  verify(password: string, stored: string | null): Promise<boolean>;
  /**
   * For whoever has other work to do before, which would be for nothing. It reserves no place: of a flood of guesses most are refused
   * by what is counted, and must not keep an owner out meanwhile.
   *
   * @throws {AuthError} `BUSY` when the queue is full.
   */
  requireRoom(): void;
  /** Whether a hash has another cost than new ones get. */
  isOutdated(stored: string): boolean;
  /** How many hashes run or wait. */
  load(): number;
}

/** More at once by default would be memory that strangers decide about: a thread and a hash take 30 MB. */
const mostAtOnce = 8;

/** How long a caller should wait when the queue is full: a queue's worth of work, and then some. */
const retryAfter = 2;

/** Makes the hasher. It hashes nothing until it is asked to, so that a server starts without waiting for that. */
export function createPasswordHasher(
  options: HashingOptions,
  { argon2, randomBytes }: { readonly argon2: Argon2; readonly randomBytes: RandomBytes },
): PasswordHasher {
  const { memoryKiB, iterations, parallelism, queue } = options;
  const cost = { memoryCost: memoryKiB, timeCost: iterations, parallelism };
  const prefix = `$argon2id$v=19$m=${memoryKiB},t=${iterations},p=${parallelism}$`;
  const concurrency = options.concurrency ?? Math.min(Math.max(1, availableParallelism() - 1), mostAtOnce);
  const limit = pLimit(concurrency);

  function requireRoom(): void {
    if (limit.pendingCount >= queue && limit.activeCount >= concurrency) throw new AuthError("BUSY", { retryAfter });
  }
  const enqueue = <T>(work: () => Promise<T>): Promise<T> => {
    requireRoom();
    return limit(work);
  };
  const hashPassword = (password: string) => argon2.hash(prepare(password), { ...cost, salt: randomBytes(16) });
  // What to compare with where there is no hash: it costs as much as one, and is of no password that anybody could find.
  const standIn = `${prefix}${phcBase64(randomBytes(16))}$${phcBase64(randomBytes(32))}`;

  return {
    hash: async (password) => enqueue(() => hashPassword(password)),
    async verify(password, stored) {
      const compare = stored === null ? null : comparerOf(stored);
      if (compare === null || stored?.startsWith("$argon2id$")) {
        // A hash that nothing of ours can read is like none.
        const matches = await enqueue(() => argon2.verify((compare && stored) ?? standIn, prepare(password)));
        return matches && compare !== null;
      }
      // Another system may have taken it as it was typed, or in another form.
      const spellings = new Set([password, prepare(password), password.normalize("NFKC")]);
      return enqueue(async () => {
        for (const spelling of spellings) if (await compare(spelling)) return true;
        return false;
      });
    },
    requireRoom,
    isOutdated: (stored) => !stored.startsWith(prefix),
    load: () => limit.activeCount + limit.pendingCount,
  };
}

/** The base64 of a PHC string has no padding. */
function phcBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}

/** One spelling for what looks the same: NIST SP 800-63B-4 §3.1.1.2 asks for a normalisation before hashing. */
function prepare(password: string): string {
  return password.normalize("NFC");
}
