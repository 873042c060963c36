/** Subscriptions of the client: apart, since they cost a page more than everything else. */
import { httpSubscriptionLink, type Operation, TRPCClientError, type TRPCLink } from "@trpc/client";
import type { AnyTRPCRouter } from "@trpc/server";
import type { EventSourceLike } from "@trpc/server/unstable-core-do-not-import";
import type { Held, Keeper } from "./keeper.ts";
import { headersOf, type Transport } from "./link.ts";
import { isPassing, pauseAfter } from "./retry.ts";
import { type SessionStore, userIdIn } from "./session.ts";

/** What `createAuthClient` takes as `subscriptions`. */
export interface Subscriptions {
  /** @internal */
  link(transport: Transport, keeper: Keeper, opened: Held): TRPCLink<AnyTRPCRouter>;
  /** @internal */
  start(
    op: Operation,
    options: {
      readonly keeper: Keeper;
      readonly store: SessionStore;
      readonly end: (error: TRPCClientError<AnyTRPCRouter>) => void;
    },
  ): RunningSubscription;
}

/** One subscription, over as many streams as it takes. */
export interface RunningSubscription {
  /** The operation for the next stream, asking for what follows the last event that had an id (`tracked()`). */
  next(held: Held): Operation;
  /** Learns from what came. */
  note(result: { readonly type?: string; readonly id?: unknown }): void;
  /** Whether the last stream was open for a while: what ends it then is no refusal of its opening. */
  hasRun(): boolean;
  /** As the keeper's, but waits for the network, or for the server, however long they take. */
  mend: Keeper["mend"];
  stop(): void;
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
    link: (transport, keeper, opened) =>
      httpSubscriptionLink<AnyTRPCRouter, EventSourceLike.AnyConstructor>({
        ...transport,
        ...options,
        eventSourceOptions: {
          withCredentials: true,
          // Asked at each connection: an `EventSource` comes again by itself, and then with the token of that moment, if
          // it is still the same person's.
          async fetch(input: string, init: RequestInit) {
            const held = await keeper.take();
            const sender = held.user?.id === opened.user?.id ? held : opened;
            return transport.fetch(input, { ...init, headers: { ...init.headers, ...headersOf(sender) } } as never);
          },
        },
      }),
  };
}

/** A refusal of the opening comes right behind it. */
const openingMs = 1_000;

function startSubscription(
  op: Operation,
  { keeper, store, end }: Parameters<Subscriptions["start"]>[1],
): RunningSubscription {
  let isStopped = false;
  let lastEventId: string | undefined;
  let openSince = Number.POSITIVE_INFINITY;
  let ownerId: string | null = null;
  // Also a stream that a cookie opened: the next time, it would be opened by the cookie of somebody else.
  const unsubscribe = store.subscribe(({ session }) => {
    const userId = userIdIn(session);
    if (ownerId !== null && userId !== null && userId !== ownerId) end(endedByAnother(op));
  });
  return {
    next({ user }) {
      openSince = Number.POSITIVE_INFINITY;
      ownerId ??= user?.id ?? null;
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
    hasRun,
    async mend(held, error) {
      while (!isStopped) {
        try {
          // Whoever answered in the server's place will be gone.
          if (!hasRun() || isFromServer(error)) return await keeper.mend(held, error);
          await pauseAfter(error);
          return true;
        } catch (failure) {
          if (!isPassing(failure)) throw failure;
          await pauseAfter(failure);
        }
      }
      return false;
    },
    stop() {
      isStopped = true;
      unsubscribe();
    },
  };

  function hasRun(): boolean {
    return Date.now() - openSince > openingMs;
  }
}

function isFromServer(error: unknown): boolean {
  return error instanceof TRPCClientError && Boolean(error.data);
}

/** As the server would say it, if it knew. */
function endedByAnother({ path }: Operation): TRPCClientError<AnyTRPCRouter> {
  const data = { reason: "SESSION_REVOKED", details: {}, code: "UNAUTHORIZED", httpStatus: 401, path };
  return TRPCClientError.from({ error: { code: -32001, message: "Somebody else has signed in.", data } });
}
