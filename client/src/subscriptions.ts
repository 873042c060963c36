/** Subscriptions of the client: apart, since they cost a page more than everything else. */
import { httpSubscriptionLink, type Operation, type TRPCLink } from "@trpc/client";
import type { AnyTRPCRouter } from "@trpc/server";
import type { EventSourceLike } from "@trpc/server/unstable-core-do-not-import";
import { failureIn, type Keeper } from "./keeper.ts";
import { headersOf, type Transport } from "./link.ts";

/** What `createAuthClient` takes as `subscriptions`. */
export interface Subscriptions {
  /** @internal */
  link(transport: Transport, keeper: Keeper): TRPCLink<AnyTRPCRouter>;
  /** @internal */
  start(op: Operation): RunningSubscription;
}

/** One subscription, over as many streams as it takes. */
export interface RunningSubscription {
  /** The operation for the next stream, asking for what follows the last event that had an id (`tracked()`). */
  next(): Operation;
  /** Learns from what came. */
  note(result: { readonly type?: string; readonly id?: unknown }): void;
  /** Whether the stream ended because the token that it was opened with has expired, and a new one can take its place. */
  goesOn(error: unknown): boolean;
}

/**
 * Lets a client subscribe, over server-sent events. A subscription whose token expires goes on with the next one, after the
 * last event that came; one whose session has ended stops, and its `onError` is told why.
 *
 * @param options.EventSource What opens the streams. Default: the platform's, which sends a cookie, and no token: where
 *   tokens are kept, give the one of the npm package `eventsource`, which sends them in a header and never in an address.
 *
 * @example
 * ```ts
 * const auth = createAuthClient<AppRouter>({ url: "/trpc", subscriptions: subscriptions() });
 * ```
 */
export function subscriptions(options: { readonly EventSource?: EventSourceLike.AnyConstructor } = {}): Subscriptions {
  return {
    start: startSubscription,
    link: (transport, keeper) =>
      httpSubscriptionLink<AnyTRPCRouter, EventSourceLike.AnyConstructor>({
        ...transport,
        ...options,
        eventSourceOptions: {
          withCredentials: true,
          // Asked at each connection: an `EventSource` comes again by itself, and then with the token of that moment.
          fetch: async (input: string, init: RequestInit) =>
            transport.fetch(input, {
              ...init,
              headers: { ...init.headers, ...headersOf(await keeper.take()) },
            } as never),
        },
      }),
  };
}

/** A refusal of the opening comes right behind it. */
const openingMs = 1_000;

function startSubscription(op: Operation): RunningSubscription {
  let lastEventId: string | undefined;
  let openSince = Number.POSITIVE_INFINITY;
  return {
    next() {
      openSince = Number.POSITIVE_INFINITY;
      const { input } = op;
      const isObject = input === undefined || input === null || typeof input === "object";
      return lastEventId !== undefined && isObject ? { ...op, input: { ...input, lastEventId } } : op;
    },
    note(result) {
      if (result.type === "started") openSince = Date.now();
      // Only data has no type.
      else if (result.type === undefined || result.type === "data") openSince = Number.NEGATIVE_INFINITY;
      if (typeof result.id === "string") lastEventId = result.id;
    },
    // What ends a stream that was open for a while has changed since, and is no refusal of its opening.
    goesOn: (error) => failureIn(error)?.reason === "TOKEN_EXPIRED" && Date.now() - openSince > openingMs,
  };
}
