/** The signing keys: one signs, the next is published before it does, and a former one stays until its tokens have expired. */
import { AuthError } from "@countersign/shared";
import { base64url } from "jose";
import { importSigningKey } from "../crypto/import-signing-key.ts";
import { deriveKey, isSealedWith, open, SealingError, type Secrets, seal } from "../crypto/sealing.ts";
import {
  generateKey,
  importVerificationKey,
  type PublicJwk,
  publicPart,
  type SigningAlgorithm,
  type SigningKey,
  type VerificationKey,
} from "../crypto/signing-key.ts";
import type { Db, Now, RandomBytes } from "../deps.ts";
import { appendFeedEvent } from "../store/feed-events.ts";
import type { SigningKeyRow } from "../store/schema.ts";
import { deleteSigningKeys, insertSigningKey, listSigningKeys, replaceSealedKey } from "../store/signing-keys.ts";
import { transact } from "../store/transact.ts";

export interface KeyRingOptions {
  readonly db: Db;
  readonly now: Now;
  readonly randomBytes: RandomBytes;
  /** Keys are sealed with the first, and opened with whichever they were sealed with. */
  readonly secrets: Secrets;
  /** How new keys sign; those that are there go on as they are. Default is `"EdDSA"`. */
  readonly algorithm?: SigningAlgorithm;
  /** How long an access token lives: a former key is kept that much longer. */
  readonly accessTtlSeconds: number;
  readonly clockToleranceSeconds: number;
  /** How long a key is published before it signs: longer than verifiers cache the JWKS. Default is 600 (10 minutes). */
  readonly publishLeadSeconds?: number;
  /** The age at which a key is due to be replaced. Default is 7,776,000 (90 days). */
  readonly keyLifetimeSeconds?: number;
}

/** What a key is for at this time. */
export type KeyStatus = "next" | "current" | "former";

/** A key as it is shown to people: nothing secret. */
export interface KeySummary {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly status: KeyStatus;
  readonly createdAt: Date;
  /** Signs from this time on. */
  readonly activatesAt: Date;
  /** When the last token that it signed has expired; `null` as long as no other key follows. */
  readonly endsAt: Date | null;
}

export interface RotateOptions {
  /** Sign with the new key at once, instead of publishing it first. Verifiers elsewhere fetch the JWKS again when they meet it. */
  readonly immediately?: boolean;
  /** The keys so far are known to somebody else: forget them. Every access token stops being good at once. */
  readonly compromised?: boolean;
  /** Work for the transaction that adds the key, as an audit row. */
  readonly within?: (trx: Db, key: { readonly kid: string }) => Promise<void>;
}

export interface KeyRing {
  /** The key that signs now. */
  current(): SigningKey;
  /**
   * The key of a `kid`; `null` when there is none. Reads the database only for a `kid` that it does not know, at most
   * once a second.
   *
   * @throws AuthError `UNAVAILABLE` for an unknown `kid` while the database cannot be read: the key may be new.
   */
  keyFor(kid: string): Promise<VerificationKey | null>;
  /** The public keys that other services verify with (RFC 7517 §5). HS256 secrets are never among them. */
  jwks(): { readonly keys: readonly PublicJwk[] };
  /** Every key, the oldest first. */
  list(): readonly KeySummary[];
  /** Adds the next key; where one is already published and waiting, that one is it. */
  rotate(options?: RotateOptions): Promise<KeySummary>;
  /** Adds the next key when the newest has reached its age; `null` when it has not. */
  rotateIfDue(options?: Pick<RotateOptions, "within">): Promise<KeySummary | null>;
  /** Seals the keys anew that were sealed with an accepted secret, and not with the current one. Returns how many. */
  reseal(): Promise<number>;
  /** Deletes the keys whose tokens have all expired. Returns how many. */
  prune(): Promise<number>;
  /** Reads the keys again. Call it when the feed says `keys_changed`. */
  reload(): Promise<void>;
  /** Calls back when a key is gone, so that nothing that it proved is still taken as proved. */
  onRemoved(listener: () => void): void;
}

// Nodes' clocks may be this far apart, and a node may learn of a new key this late, before anything is refused.
const nodeSkewMs = 60_000;
const unknownKidCooldownMs = 1_000;

interface Entry {
  readonly row: SigningKeyRow;
  readonly signing: SigningKey;
  readonly verification: VerificationKey;
  readonly publicJwk: PublicJwk | null;
}

/** What a transaction does to the table: the time from which the new key signs, and the ids that go. */
interface Step {
  readonly activatesAt: number;
  readonly remove: readonly string[];
}

/**
 * Opens the signing keys of the database, and makes the first one where there is none. Any number of nodes may start at
 * once: they make one key.
 *
 * @throws SealingError when the keys were sealed with another secret, or are damaged.
 */
export async function createKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const { db, now, randomBytes, secrets, algorithm = "EdDSA" } = options;
  const publishLeadMs = (options.publishLeadSeconds ?? 600) * 1_000;
  const lifetimeMs = (options.keyLifetimeSeconds ?? 7_776_000) * 1_000;
  const outlivesMs = (options.accessTtlSeconds + options.clockToleranceSeconds) * 1_000 + nodeSkewMs;
  const sealingKeys = secrets.map((secret) => deriveKey(secret, "signing keys", 32));
  const [sealingKey = deriveKey(secrets[0], "signing keys", 32)] = sealingKeys;
  const listeners: (() => void)[] = [];
  let entries: readonly Entry[] = [];
  let loading: Promise<void> = Promise.resolve();
  let lookedAt = Number.NEGATIVE_INFINITY;
  let unreadable = false;

  await addKey((rows) => (rows.length > 0 ? null : signsAtOnce(rows, now())));
  // In this order: the first key may be another node's, made just now.
  await reload();

  function reload(): Promise<void> {
    // One at a time, and each begins after it was asked for: whoever has just written reads what was written.
    loading = loading.catch(() => {}).then(load);
    return loading;
  }

  async function load(): Promise<void> {
    const rows = await listSigningKeys(db);
    const known = new Map(entries.map((entry) => [entry.row.id, entry]));
    entries = await Promise.all(rows.map((row) => known.get(row.id) ?? openRow(row, sealingKeys)));
    const kept = new Set(rows.map(({ id }) => id));
    if ([...known.keys()].some((kid) => !kept.has(kid))) for (const listener of listeners) listener();
  }

  /** Adds a key as the plan says, once it has read the table in its transaction; `null` when the plan says that none is needed. */
  async function addKey(plan: (rows: readonly SigningKeyRow[]) => Step | null, within?: RotateOptions["within"]) {
    if (plan(await listSigningKeys(db)) === null) return null;
    // Before the transaction: making an RSA key takes a while, and everyone else would wait for the lock.
    const made = await makeRow({ sealingKey, randomBytes, algorithm });
    const added = await transact(db, async (trx) => {
      // No other node plans on the same rows: one of two that do begins anew.
      const rows = await listSigningKeys(trx);
      const step = plan(rows);
      if (step === null) return null;
      await deleteSigningKeys(trx, step.remove);
      // Later than every other, so that of two keys that sign from the same millisecond the new one is the newest.
      const createdAt = Math.max(now(), ...rows.map((row) => row.created_at + 1));
      await insertSigningKey(trx, { ...made, created_at: createdAt, activates_at: step.activatesAt });
      await appendFeedEvent(trx, { kind: "keys_changed", subject: made.id, version: null }, now());
      await within?.(trx, { kid: made.id });
      return made.id;
    });
    await reload();
    return added === null ? null : summaryOf(added);
  }

  /** When the last token that a key signed has expired: its successor's first moment, and a token's life from there. */
  function endOf(index: number): number {
    const successor = entries[index + 1];
    return successor === undefined ? Number.POSITIVE_INFINITY : successor.row.activates_at + outlivesMs;
  }

  function published(): readonly Entry[] {
    return entries.filter((_, index) => endOf(index) > now());
  }

  function currentEntry(): Entry {
    // The newest key signs on every node, whatever algorithm the node is set to: the others count on the former one's end.
    // Before the first key's time (a clock behind the node that made it) the first one does.
    const entry = entries.findLast(({ row }) => row.activates_at <= now()) ?? entries[0];
    if (entry === undefined) throw new Error("there is no signing key");
    return entry;
  }

  function summaries(): readonly KeySummary[] {
    const current = entries.indexOf(currentEntry());
    return entries.map(({ row, signing }, index) => ({
      kid: row.id,
      algorithm: signing.algorithm,
      status: index === current ? "current" : index > current ? "next" : "former",
      createdAt: new Date(row.created_at),
      activatesAt: new Date(row.activates_at),
      endsAt: entries[index + 1] === undefined ? null : new Date(endOf(index)),
    }));
  }

  function summaryOf(kid: string): KeySummary {
    const summary = summaries().find((key) => key.kid === kid);
    if (summary === undefined) throw new Error("the new signing key was deleted at once");
    return summary;
  }

  async function lookAgain(): Promise<void> {
    if (Math.abs(now() - lookedAt) < unknownKidCooldownMs) return loading.catch(() => {});
    lookedAt = now();
    await reload().then(
      () => (unreadable = false),
      () => (unreadable = true),
    );
  }

  return {
    current: () => currentEntry().signing,

    async keyFor(kid) {
      const find = () => published().find(({ row }) => row.id === kid)?.verification ?? null;
      const known = find();
      if (known !== null) return known;
      await lookAgain();
      const found = find();
      if (found === null && unreadable) throw new AuthError("UNAVAILABLE", { retryAfter: 1 });
      return found;
    },

    jwks: () => ({ keys: published().flatMap(({ publicJwk }) => publicJwk ?? []) }),

    list: summaries,

    async rotate({ immediately = false, compromised = false, within } = {}) {
      const added = await addKey((rows) => {
        if (compromised) return { activatesAt: now(), remove: rows.map(({ id }) => id) };
        if (immediately) return signsAtOnce(rows, now());
        return isWaiting(rows.at(-1), now()) ? null : { activatesAt: now() + publishLeadMs, remove: [] };
      }, within);
      if (added !== null) return added;
      await reload();
      return summaries().at(-1) as KeySummary;
    },

    rotateIfDue: ({ within } = {}) =>
      addKey((rows) => {
        const newest = rows.at(-1);
        const isOld = newest === undefined || newest.activates_at + lifetimeMs <= now();
        // A key of a clock that was ahead: nothing that it has signed is believed before then, and no other would follow until then.
        const tooEarly = rows
          .filter((row) => row.activates_at > now() + publishLeadMs + nodeSkewMs)
          .map(({ id }) => id);
        return isOld || tooEarly.length > 0 ? { activatesAt: now() + publishLeadMs, remove: tooEarly } : null;
      }, within),

    async reseal() {
      const resealed = await transact(db, async (trx) => {
        const foreign = (await listSigningKeys(trx)).filter((row) => !isSealedWith(sealingKey, row.sealed_key));
        for (const row of foreign) {
          const context = { context: contextOf(row.id, row.algorithm) };
          const sealed = seal({ key: sealingKey, randomBytes }, unseal(row, sealingKeys), context);
          await replaceSealedKey(trx, row.id, sealed);
        }
        return foreign.length;
      });
      await reload();
      return resealed;
    },

    async prune() {
      await reload();
      const ended = entries.filter((_, index) => endOf(index) <= now()).map(({ row }) => row.id);
      if (ended.length === 0) return 0;
      await deleteSigningKeys(db, ended);
      await reload();
      return ended.length;
    },

    reload,

    onRemoved: (listener) => void listeners.push(listener),
  };
}

/** A key that signs now. Keys that wait for their time have signed nothing: they go, or they would take over later. */
function signsAtOnce(rows: readonly SigningKeyRow[], now: number): Step {
  const remove = rows.filter((row) => isWaiting(row, now)).map(({ id }) => id);
  const newest = rows.findLast((row) => !isWaiting(row, now));
  return { activatesAt: Math.max(now, newest?.activates_at ?? 0), remove };
}

/** Whether a key does not sign yet, by any node's clock. */
function isWaiting(row: SigningKeyRow | undefined, now: number): boolean {
  return row !== undefined && row.activates_at > now + nodeSkewMs;
}

async function makeRow(options: {
  sealingKey: Uint8Array;
  randomBytes: RandomBytes;
  algorithm: SigningAlgorithm;
}): Promise<Omit<SigningKeyRow, "created_at" | "activates_at">> {
  const { sealingKey, randomBytes, algorithm } = options;
  const id = base64url.encode(randomBytes(16));
  const jwk = await generateKey(randomBytes, algorithm);
  return {
    id,
    algorithm,
    sealed_key: seal({ key: sealingKey, randomBytes }, new TextEncoder().encode(JSON.stringify(jwk)), {
      context: contextOf(id, algorithm),
    }),
  };
}

async function openRow(row: SigningKeyRow, sealingKeys: readonly Uint8Array[]): Promise<Entry> {
  const algorithm = row.algorithm as SigningAlgorithm;
  const jwk = JSON.parse(new TextDecoder().decode(unseal(row, sealingKeys)));
  const signing = importSigningKey(jwk, row.id, algorithm);
  const verification = await importVerificationKey(jwk, row.id, algorithm);
  // The public part is made from the sealed key: whoever can write to the table cannot add a key of their own.
  return { row, signing, verification, publicJwk: publicPart(jwk, row.id, algorithm) };
}

function unseal(row: SigningKeyRow, sealingKeys: readonly Uint8Array[]): Uint8Array {
  // Where none fits, the first says so.
  const key = sealingKeys.find((key) => isSealedWith(key, row.sealed_key)) ?? sealingKeys[0] ?? new Uint8Array();
  try {
    return open(key, row.sealed_key, { context: contextOf(row.id, row.algorithm) });
  } catch (error) {
    if (!(error instanceof SealingError)) throw error;
    throw new SealingError(error.problem, sentenceFor(error, row.id));
  }
}

function sentenceFor(error: SealingError, kid: string): string {
  if (error.problem !== "another_secret")
    return `The signing key "${kid}" in the database cannot be used: ${error.message}.`;
  return (
    "The signing keys in the database were sealed with another secret. " +
    'Start with the secret that they were made with ("secret", COUNTERSIGN_SECRET), or accept it beside the new one ' +
    '("acceptedSecrets", COUNTERSIGN_ACCEPTED_SECRETS). ' +
    "If it is lost, delete the rows of the table signing_keys: the next start makes a new key, and everyone has to sign in again."
  );
}

/** What a sealed key is bound to: it opens in its own row only, for its own algorithm. */
function contextOf(kid: string, algorithm: string): string {
  return `${algorithm}:${kid}`;
}
