/** Follows the feed that an issuer publishes, so that a verifier sees a revocation without asking. Runs on any JavaScript runtime. */
import { AuthError, type Principal } from "@countersign/shared";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { type FeedFact, hashSubject, verifyFeedMessage } from "../crypto/feed-message.ts";
import type { VerificationKey } from "../crypto/signing-key.ts";
import { atMost } from "./at-most.ts";
import type { Fetch } from "./issuer-keys.ts";

export interface IssuerFeedOptions {
  /** Of the procedure `auth.feed`. */
  readonly url: string;
  readonly issuer: string;
  readonly fetch: Fetch;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** The key of a `kid`, however new. */
  readonly keyFor: (kid: string) => Promise<VerificationKey | null>;
  /** The issuer's keys are others now. */
  readonly onKeysChanged: () => Promise<void>;
  /** The feed has not been complete for so long: it may have missed something. */
  readonly staleAfterMs: number;
  /** Whether a connection can be kept, beyond the request that began it. */
  readonly keepsConnections: boolean;
  readonly onError: (error: unknown) => void;
}

/** What stands for a principal in the feed. */
export interface Subjects {
  readonly session: string;
  readonly account: string;
  readonly version: number;
}

export interface IssuerFeed {
  subjectsOf(principal: Principal): Promise<Subjects>;
  /** Makes the feed as young as it can be: at once where it is followed. Never throws. */
  refresh(): Promise<void>;
  objectionTo(subjects: Subjects): "SESSION_REVOKED" | "TOKEN_EXPIRED" | null;
  isStale(): boolean;
  close(): void;
}

/** Longer than any access token lives. */
const rememberedMs = 90_000_000;
/** The server says something each second. */
const silenceMs = 4_000;
const askAgainMs = 1_000;
const patienceMs = 3_000;
const longestPauseMs = 5_000;

export function createIssuerFeed(options: IssuerFeedOptions): IssuerFeed {
  const { url, issuer, fetch, now, keyFor, onKeysChanged, staleAfterMs, keepsConnections, onError } = options;
  const revoked = new Map<string, number>();
  const versions = new Map<string, { version: number; at: number }>();
  let position = 0;
  /** Until when it is known, by this clock: a message may be older than when it came, and is never younger. */
  let asOf = Number.NEGATIVE_INFINITY;
  let askedAt = Number.NEGATIVE_INFINITY;
  let following: AbortController | undefined;
  const first = Promise.withResolvers<void>();

  async function take(text: string): Promise<void> {
    const message = await verifyFeedMessage(text, { issuer, keyFor });
    // Something between what is known and this was lost, or kept back.
    if (message.from > position) throw new AuthError("TOKEN_INVALID");
    for (const fact of message.events) await learn(fact);
    // Back, too, where the issuer has another database by now, or its clock was ahead. What is replayed makes it stale, and
    // is followed by a gap.
    position = message.to;
    asOf = Math.min(message.asOf, now());
    forget(now() - rememberedMs);
    first.resolve();
  }

  async function learn(fact: FeedFact): Promise<void> {
    if ("session" in fact) revoked.set(fact.session, now());
    else if ("account" in fact) {
      const version = Math.max(fact.version, versions.get(fact.account)?.version ?? 0);
      versions.set(fact.account, { version, at: now() });
    } else await onKeysChanged();
  }

  function forget(before: number): void {
    for (const [session, at] of revoked) if (at < before) revoked.delete(session);
    for (const [account, { at }] of versions) if (at < before) versions.delete(account);
  }

  const addressOf = (procedure: string) =>
    `${url}${procedure}?input=${encodeURIComponent(JSON.stringify({ json: { after: position } }))}`;

  /** Reads one stream to its end. */
  async function readStream(signal: AbortSignal): Promise<void> {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), silenceMs);
    try {
      const response = await fetch(addressOf(""), {
        headers: { accept: "text/event-stream" },
        redirect: "manual",
        signal: AbortSignal.any([signal, silence.signal]),
      });
      if (response.status !== 200 || response.body === null) throw statusError(response.status);
      const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
      for await (const { event, data } of events) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), silenceMs);
        if (event === undefined) await take(textIn(JSON.parse(data)));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async function follow({ signal }: AbortController): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const before = asOf;
      await readStream(signal).catch((error: unknown) => signal.aborted || onError(error));
      failures = asOf === before ? failures + 1 : 0;
      await pause(Math.min(100 * 2 ** failures, longestPauseMs), signal);
    }
  }

  async function ask(): Promise<void> {
    if (Math.abs(now() - askedAt) < askAgainMs) return;
    askedAt = now();
    try {
      const response = await fetch(addressOf("Snapshot"), {
        headers: { "cache-control": "no-cache" },
        redirect: "manual",
        signal: AbortSignal.timeout(patienceMs),
      });
      if (response.status !== 200) throw statusError(response.status);
      const body = (await response.json()) as { readonly result?: { readonly data?: unknown } };
      await take(textIn(body.result?.data));
    } catch (error) {
      onError(error);
    }
  }

  return {
    async subjectsOf({ sessionId, accountId, version }) {
      const [session, account] = await Promise.all([
        hashSubject("session", issuer, sessionId),
        hashSubject("account", issuer, accountId),
      ]);
      return { session, account, version };
    },

    async refresh() {
      if (!keepsConnections) return ask();
      if (following === undefined) {
        following = new AbortController();
        void follow(following);
      }
      // Once: later it goes on without waiting, and says that it is stale.
      if (asOf === Number.NEGATIVE_INFINITY) await atMost(patienceMs, first.promise);
    },

    objectionTo({ session, account, version }) {
      if (revoked.has(session)) return "SESSION_REVOKED";
      return (versions.get(account)?.version ?? 0) > version ? "TOKEN_EXPIRED" : null;
    },

    // What seems to be of the future was heard while this clock was ahead.
    isStale: () => Math.abs(now() - asOf) > staleAfterMs,
    close: () => following?.abort(),
  };
}

/** As the transformer of tRPC writes a text. */
function textIn(value: unknown): string {
  const { json } = (value ?? {}) as { readonly json?: unknown };
  if (typeof json !== "string") throw new TypeError("this is not a part of the feed");
  return json;
}

function statusError(status: number): Error {
  return new Error(`the feed was answered with status ${status}, not 200`);
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
