/**
 * The feed in memory: what was revoked within one access token's lifetime, and the versions that accounts moved on to.
 * It follows the table by id. A protected call asks it instead of the database.
 */
import type { Principal } from "@countersign/shared";
import type { AccountId, SessionId } from "@countersign/shared/schemas";
import type { Db, Now } from "../deps.ts";
import type { FeedLine } from "../store/database.ts";
import { readFeedAfter, readFeedSince } from "../store/feed-events.ts";
import type { FeedEventRow } from "../store/schema.ts";
import { createFeedPosition } from "./feed-position.ts";

/** A feed that has not been read for this long may have missed a revocation. */
const staleAfterMs = 5_000;
/** Longer than any transaction of ours takes (`postgres-driver.ts`). */
const lateMs = 30_000;
/** A clock that is set back by less was adjusted, as time servers do. */
const clockSlackMs = 1_000;

export interface Feed {
  /** Whether a principal's session and account are still as its token says: two look-ups in memory. */
  objectionTo(
    principal: Pick<Principal, "sessionId" | "accountId" | "version">,
  ): "SESSION_REVOKED" | "TOKEN_EXPIRED" | null;
  /** Whether the table could not be read for so long that memory may be wrong. `at`: the time, for whoever knows it already. */
  isStale(at?: number): boolean;
  /** Milliseconds since the table was last read. */
  age(): number;
  /** Reads what is new. Called by a timer, and when another node says so. Whoever listens is told after each try. */
  catchUp(): Promise<void>;
  /** The same after a write of our own, of which the other nodes are told then. */
  seeOwnWrite(): Promise<void>;
  /** Up to when, and up to which event, it is known what is no longer true. */
  progress(): { readonly asOf: number; readonly settled: number; readonly highest: number };
  /** The events after an id that live tokens could still contradict. */
  eventsAfter(id: number): readonly FeedEventRow[];
  /** Calls back when an answer of the feed may have changed, until the function that it returns is called. */
  onChange(listener: FeedListener): () => void;
  /** Tells the listeners that time has passed: a feed that cannot be read must not keep them waiting for it. */
  tick(): void;
  /** How many listen. */
  listeners(): number;
  /** Whether it is still followed: not once everything was moved to another database, nor after `stop`. */
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
 * @param options.line Where other nodes have the same database.
 * @param options.horizonMs How long a fact matters: an access token's lifetime, with the clock tolerance.
 * @param options.onKeysChanged Called, and awaited, when a key was made.
 * @param options.onMoved Called when everything was moved to another database, with its place.
 */
export async function startFeed(options: {
  db: Db;
  line?: FeedLine | undefined;
  now: Now;
  horizonMs: number;
  onKeysChanged: () => Promise<void>;
  onMoved: (place: string) => void;
}): Promise<Feed> {
  const { line, now, horizonMs, onKeysChanged, onMoved } = options;
  const db = line?.db ?? options.db;
  const revoked = new Map<SessionId, number>();
  const versions = new Map<AccountId, { version: number; at: number }>();
  let events: FeedEventRow[] = [];
  let lastReadAt = now();
  let reading: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  /** Stays until the keys were read: the event itself is read once. */
  let keysHaveChanged = false;
  const listeners = new Set<FeedListener>();
  let followed = true;

  let position = createFeedPosition(0, { lateMs });
  /** As at the start, and after the connection was another's: who answers now may have given ids that were given before. */
  let readsAnew = true;
  line?.onConnect(() => {
    readsAnew = true;
  });

  function learn(event: FeedEventRow): void {
    if (event.kind === "moved") return;
    events.push(event);
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
    if (events[0] !== undefined && events[0].created_at < before) {
      events = events.filter(({ created_at }) => created_at >= before);
    }
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

  function stop(): void {
    followed = false;
    tell({ keysChanged: false });
  }

  /** Returns whether the keys were read again. */
  async function read(): Promise<boolean> {
    // What happens elsewhere after a move is not in this table.
    if (!followed) return false;
    const startedAt = now();
    // What was forgotten while the clock was ahead may matter again.
    if (startedAt < lastReadAt - clockSlackMs) readsAnew = true;
    const known = events;
    const fresh = readsAnew ? await readAnew(startedAt) : await readOn(startedAt);
    keysHaveChanged ||= fresh.some(
      (event) => event.kind === "keys_changed" && !known.some((one) => isSame(one, event)),
    );
    for (const event of fresh) learn(event);
    lastReadAt = startedAt;
    const move = fresh.find(({ kind }) => kind === "moved");
    if (move !== undefined) {
      stop();
      onMoved(move.subject);
    }
    const keysChanged = keysHaveChanged;
    if (keysChanged) await onKeysChanged();
    keysHaveChanged = false;
    forget(startedAt - horizonMs);
    return keysChanged;
  }

  async function readOn(startedAt: number): Promise<readonly FeedEventRow[]> {
    return position.note(await readFeedAfter(db, position.highest, position.gaps()), startedAt);
  }

  /** Everything that still matters. What is missing below it may still be committed, but for what is older than that. */
  async function readAnew(startedAt: number): Promise<readonly FeedEventRow[]> {
    readsAnew = false;
    try {
      const since = startedAt - horizonMs;
      // One question: where each takes seconds, a second one would make the feed stale.
      const rows = await readFeedSince(db, since);
      position = createFeedPosition(rows.find(({ created_at }) => created_at < since)?.id ?? 0, { lateMs });
      events = [];
      const recent = rows.filter(({ created_at }) => created_at >= since);
      return position.note(recent, startedAt);
    } catch (error) {
      readsAnew = true;
      throw error;
    }
  }

  function catchUp(): Promise<void> {
    // One reader at a time. Whoever has just written gets a read that began after the write, and shares it with others.
    next ??= reading
      .catch(() => {})
      .then(() => {
        next = undefined;
        return readAndTell();
      });
    reading = next;
    return next;
  }

  for (const event of await readAnew(now())) learn(event);
  line?.onNews(() => void catchUp().catch(() => {}));

  return {
    objectionTo({ sessionId, accountId, version }) {
      if (revoked.has(sessionId)) return "SESSION_REVOKED";
      const changed = versions.get(accountId);
      return changed !== undefined && changed.version > version ? "TOKEN_EXPIRED" : null;
    },
    isStale: (at = now()) => Math.abs(at - lastReadAt) > staleAfterMs,
    age: () => now() - lastReadAt,
    progress: () => ({ asOf: lastReadAt, settled: position.settled(), highest: position.highest }),
    eventsAfter: (id) => events.filter((event) => event.id > id),
    catchUp,
    async seeOwnWrite() {
      void line?.tell();
      await catchUp();
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
    stop,
  };
}

/** Not by id: another database may have given the same to another event. */
function isSame(one: FeedEventRow, other: FeedEventRow): boolean {
  return one.kind === other.kind && one.subject === other.subject && one.created_at === other.created_at;
}
