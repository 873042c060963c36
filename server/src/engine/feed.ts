/**
 * The feed in memory: what was revoked within one access token's lifetime, and the versions that accounts moved on to.
 * It follows the table by id. A protected call asks it instead of the database.
 */
import type { Principal } from "@countersign/shared";
import type { AccountId, SessionId } from "@countersign/shared/schemas";
import type { Db, Now } from "../deps.ts";
import { latestFeedId, readFeedAfter, readFeedSince } from "../store/feed-events.ts";
import type { FeedEventRow } from "../store/schema.ts";

/** A feed that has not been read for this long may have missed a revocation. */
const staleAfterMs = 5_000;

export interface Feed {
  /** Whether a principal's session and account are still as its token says: two look-ups in memory. */
  objectionTo(
    principal: Pick<Principal, "sessionId" | "accountId" | "version">,
  ): "SESSION_REVOKED" | "TOKEN_EXPIRED" | null;
  /** Whether the table could not be read for so long that memory may be wrong. */
  isStale(): boolean;
  /** Milliseconds since the table was last read. */
  age(): number;
  /** Reads what is new. Called after every write of our own, and by a timer. Whoever listens is told after each try. */
  catchUp(): Promise<void>;
  /** Calls back when an answer of the feed may have changed, until the function that it returns is called. */
  onChange(listener: FeedListener): () => void;
  /** Tells the listeners that time has passed: a feed that cannot be read must not keep them waiting for it. */
  tick(): void;
  /** How many listen. */
  listeners(): number;
  /** Whether it is still followed. */
  isFollowed(): boolean;
  /** Follows no longer, and says so to whoever listens. */
  stop(): void;
}

/** Must not throw: others listen too. */
export type FeedListener = (news: {
  /** Whether the signing keys were read again, so that what a former one proved may be proved no more. */
  readonly keysChanged: boolean;
}) => void;

/**
 * Reads the facts that live tokens could still contradict, and follows the table from there.
 *
 * @param options.horizonMs How long a fact matters: an access token's lifetime, with the clock tolerance.
 * @param options.onKeysChanged Called, and awaited, when a key was made.
 */
export async function startFeed(options: {
  db: Db;
  now: Now;
  horizonMs: number;
  onKeysChanged: () => Promise<void>;
}): Promise<Feed> {
  const { db, now, horizonMs, onKeysChanged } = options;
  const revoked = new Map<SessionId, number>();
  const versions = new Map<AccountId, { version: number; at: number }>();
  let lastId = await latestFeedId(db);
  let lastReadAt = now();
  let reading: Promise<void> = Promise.resolve();
  /** Stays until the keys were read: the event itself is read once. */
  let keysHaveChanged = false;
  const listeners = new Set<FeedListener>();
  let followed = true;

  for (const event of await readFeedSince(db, now() - horizonMs)) learn(event);

  function learn(event: FeedEventRow): void {
    if (event.kind === "session_revoked") {
      revoked.delete(event.subject as SessionId);
      revoked.set(event.subject as SessionId, event.created_at);
    } else if (event.kind === "account_changed") {
      const id = event.subject as AccountId;
      const version = Math.max(event.version ?? 0, versions.get(id)?.version ?? 0);
      versions.delete(id);
      versions.set(id, { version, at: event.created_at });
    }
  }

  /** Both maps are in the order of events, so the oldest come first. */
  function forget(before: number): void {
    for (const [id, at] of revoked) {
      if (at >= before) break;
      revoked.delete(id);
    }
    for (const [id, { at }] of versions) {
      if (at >= before) break;
      versions.delete(id);
    }
  }

  function tell(news: Parameters<FeedListener>[0]): void {
    for (const listener of listeners) listener(news);
  }

  async function readAndTell(): Promise<void> {
    let keysChanged = false;
    try {
      keysChanged = await read();
    } finally {
      // After a failure too: that the feed has become stale is news, and so is what was read before the keys were.
      tell({ keysChanged });
    }
  }

  /** Returns whether the keys were read again. */
  async function read(): Promise<boolean> {
    const startedAt = now();
    const events = await readFeedAfter(db, lastId);
    for (const event of events) {
      learn(event);
      lastId = event.id;
    }
    keysHaveChanged ||= events.some(({ kind }) => kind === "keys_changed");
    const keysChanged = keysHaveChanged;
    if (keysChanged) await onKeysChanged();
    keysHaveChanged = false;
    forget(startedAt - horizonMs);
    lastReadAt = startedAt;
    return keysChanged;
  }

  return {
    objectionTo({ sessionId, accountId, version }) {
      if (revoked.has(sessionId)) return "SESSION_REVOKED";
      const changed = versions.get(accountId);
      return changed !== undefined && changed.version > version ? "TOKEN_EXPIRED" : null;
    },
    isStale: () => now() - lastReadAt > staleAfterMs,
    age: () => now() - lastReadAt,
    catchUp() {
      // One reader at a time, and a caller who has just written gets a read that began after its write.
      reading = reading.catch(() => {}).then(readAndTell);
      return reading;
    },
    onChange(listener) {
      // A function of its own for each: one that is given twice is told twice, and stopped one by one.
      const told: FeedListener = (news) => listener(news);
      listeners.add(told);
      return () => void listeners.delete(told);
    },
    tick: () => tell({ keysChanged: false }),
    listeners: () => listeners.size,
    isFollowed: () => followed,
    stop() {
      followed = false;
      tell({ keysChanged: false });
    },
  };
}
