/** Publishes the feed for services that do not share the database: signed, and the same message for all who are at one place. */
import { AuthError } from "@countersign/shared";
import { type FeedFact, type FeedMessage, hashSubject, signFeedMessage } from "../crypto/feed-message.ts";
import type { FeedEventRow } from "../store/schema.ts";
import type { Feed } from "./feed.ts";
import type { KeyRing } from "./key-ring.ts";

/** A signed {@link FeedMessage}, and where to go on after it. */
export interface PublishedMessage {
  readonly to: number;
  readonly signed: string;
}

export interface FeedPublisher {
  /** Everything that matters after a position; 0 for all. @throws {AuthError} `UNAVAILABLE` when the feed is over. */
  since(from: number): Promise<PublishedMessage>;
  /** The same, and then whatever is new, and a word each second that nothing is. Ends with the signal. */
  follow(from: number, signal: AbortSignal | undefined): AsyncGenerator<PublishedMessage, void>;
}

export function createFeedPublisher(options: {
  readonly feed: Feed;
  readonly keys: KeyRing;
  readonly issuer: string;
}): FeedPublisher {
  const { feed, keys, issuer } = options;
  const facts = new WeakMap<FeedEventRow, Promise<FeedFact>>();
  /** Of the state of the feed that it was made for. */
  let made = { state: "", messages: new Map<number, Promise<PublishedMessage>>() };

  async function since(from: number): Promise<PublishedMessage> {
    if (!feed.isFollowed()) throw new AuthError("UNAVAILABLE", { retryAfter: 1 });
    const { asOf, settled, highest } = feed.progress();
    const state = `${asOf} ${settled} ${highest}`;
    if (made.state !== state) made = { state, messages: new Map() };
    const place = placeOf(from, { settled, highest });
    const message = made.messages.get(place) ?? make({ asOf, from: place, to: settled });
    made.messages.set(place, message);
    return message;
  }

  /**
   * Where a message begins that tells all after `from`: strangers ask too, and each place is a message to be made and signed.
   * So there are few, each twice as far behind as the one before. Who comes from ids that were not given yet has followed
   * another database, before a restore or an import, and is told all.
   */
  function placeOf(from: number, { settled, highest }: { settled: number; highest: number }): number {
    if (from > highest) return 0;
    if (from >= settled) return settled;
    const place = settled - 2 ** Math.ceil(Math.log2(settled - from));
    const oldest = feed.eventsAfter(0)[0]?.id ?? 0;
    return place < oldest ? 0 : place;
  }

  async function make(message: Omit<FeedMessage, "events">): Promise<PublishedMessage> {
    const events = await Promise.all(feed.eventsAfter(message.from).map(hashedOnce));
    return { to: message.to, signed: await signFeedMessage(keys.current(), issuer, { ...message, events }) };
  }

  function hashedOnce(event: FeedEventRow): Promise<FeedFact> {
    const fact = facts.get(event) ?? factOf(event);
    facts.set(event, fact);
    return fact;
  }

  async function factOf({ kind, subject, version }: FeedEventRow): Promise<FeedFact> {
    if (kind === "keys_changed") return { keys: true };
    if (kind === "session_revoked") return { session: await hashSubject("session", issuer, subject) };
    return { account: await hashSubject("account", issuer, subject), version: version ?? 0 };
  }

  return {
    since,
    async *follow(from, signal) {
      let position = from;
      let told = "";
      const news = listen(feed, signal);
      try {
        do {
          const message = await since(position);
          if (message.signed !== told) yield message;
          told = message.signed;
          position = message.to;
        } while (await news.next());
      } finally {
        news.stop();
      }
    },
  };
}

/** Resolves with `true` at each news of the feed, and with `false` when it is over. */
function listen(feed: Feed, signal: AbortSignal | undefined): { next(): Promise<boolean>; stop(): void } {
  let waiting = Promise.withResolvers<boolean>();
  const stopListening = feed.onChange(() => {
    if (!feed.isFollowed()) return end();
    waiting.resolve(true);
  });
  function end(): void {
    stopListening();
    waiting.resolve(false);
  }
  signal?.addEventListener("abort", end);
  if (signal?.aborted) end();
  return {
    async next() {
      const goesOn = await waiting.promise;
      if (goesOn) waiting = Promise.withResolvers();
      return goesOn;
    },
    stop() {
      signal?.removeEventListener("abort", end);
      end();
    },
  };
}
