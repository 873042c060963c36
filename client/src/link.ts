import { isAuthError, type Transformer } from "@countersign/shared";
import {
  type HTTPBatchLinkOptions,
  httpBatchLink,
  httpLink,
  httpSubscriptionLink,
  type Operation,
  type TRPCClientError,
  type TRPCLink,
} from "@trpc/client";
import type { AnyTRPCRootTypes, AnyTRPCRouter } from "@trpc/server";
import { observable, type Unsubscribable } from "@trpc/server/observable";
import type { EventSourceLike } from "@trpc/server/unstable-core-do-not-import";
import type { Held, Keeper } from "./keeper.ts";
import { createResumption } from "./resumption.ts";
import type { StepUp } from "./step-up.ts";

/** What sends a request: `fetch`, as tRPC calls it. */
export type Fetch = NonNullable<HTTPBatchLinkOptions<AnyTRPCRootTypes>["fetch"]>;

/** Where requests go, and how. */
export interface Transport {
  readonly url: string;
  readonly transformer: Transformer;
  readonly fetch: Fetch;
  /** Whether the platform is to send cookies along. */
  readonly withCookies: boolean;
  /** What opens streams for subscriptions. */
  readonly EventSource?: EventSourceLike.AnyConstructor;
}

/** Calls that go together in one request; the server takes no more. */
export const maxItems = 10;
/** A call may wait for longer than a token lives before it is sent, as where a browser has no connection left for it. */
const maxRetries = 2;
/** What proxies let pass of an address, with some room for the server's own. A query that is longer goes by itself. */
const maxURLLength = 6_000;

/**
 * The terminating link: sends an operation with what the keeper holds, and again where the keeper mended what it was
 * refused for, or the person proved again who they are. A subscription whose token expires goes on with the next one,
 * after the last event that came.
 *
 * It works per operation, since a batch answers 207 and its status tells nothing.
 */
export function createAuthLink<Router extends AnyTRPCRouter>(options: {
  readonly transport: Transport;
  readonly keeper: Keeper;
  readonly stepUp: StepUp;
}): TRPCLink<Router> {
  const { transport, keeper, stepUp } = options;

  return (runtime) => {
    const senderFor = createSenders(transport, { runtime, keeper });
    return ({ op }) =>
      observable((observer) => {
        const resumption = createResumption(op);
        let running: Unsubscribable | undefined;
        let isStopped = false;

        async function send(retries: number): Promise<void> {
          const taken = keeper.take();
          // Who calls and signs out in the same moment means the call to be theirs.
          const held = "then" in taken ? await taken : taken;
          if (isStopped) return;
          running = senderFor(
            held,
            op,
          )({ op: resumption.next(), next: refuseNext }).subscribe({
            next(envelope) {
              resumption.note(envelope.result);
              observer.next(envelope);
            },
            complete: () => observer.complete(),
            error: (error) => void recover(held, error, retries).catch(fail),
          });
        }

        async function recover(held: Held, error: TRPCClientError<Router>, retries: number): Promise<void> {
          if (op.type === "subscription" && resumption.hasLived() && isExpired(error)) await send(maxRetries);
          else if (retries > 0 && ((await keeper.mend(held, error)) || (await stepUp(op, held, error))))
            await send(retries - 1);
          else fail(error);
        }

        function fail(error: TRPCClientError<Router>): void {
          if (!isStopped) observer.error(error);
        }

        send(maxRetries).catch(fail);
        return () => {
          isStopped = true;
          running?.unsubscribe();
        };
      });
  };
}

function isExpired(error: unknown): boolean {
  return isAuthError(error) && error.data.reason === "TOKEN_EXPIRED";
}

/** What sends with this token. A batch has one `Authorization` header, so only calls with the same token share one. */
function createSenders(
  transport: Transport,
  { runtime, keeper }: { runtime: Parameters<TRPCLink<AnyTRPCRouter>>[0]; keeper: Keeper },
) {
  const made = new WeakMap<Held, ReturnType<typeof make>>();

  function make(held: Held) {
    const headers = headersOf(held);
    return {
      batched: httpBatchLink<AnyTRPCRouter>({ ...transport, maxItems, maxURLLength, headers })(runtime),
      alone: httpLink<AnyTRPCRouter>({ ...transport, headers })(runtime),
    };
  }

  const streamed = httpSubscriptionLink<AnyTRPCRouter, EventSourceLike.AnyConstructor>({
    ...transport,
    eventSourceOptions: {
      withCredentials: transport.withCookies,
      // Asked at each connection: an `EventSource` comes again by itself, and then with the token of that moment.
      fetch: async (input: string, init: RequestInit) =>
        transport.fetch(input, { ...init, headers: { ...init.headers, ...headersOf(await keeper.take()) } } as never),
    },
  })(runtime);

  /** The batch link refuses a query that is too long for any batch. */
  function isTooLong({ type, input }: Operation): boolean {
    if (type !== "query" || input === undefined) return false;
    return encodeURIComponent(JSON.stringify(transport.transformer.input.serialize(input))).length > maxURLLength / 2;
  }

  return (held: Held, op: Operation) => {
    if (op.type === "subscription") return streamed;
    const senders = made.get(held) ?? make(held);
    made.set(held, senders);
    return isTooLong(op) ? senders.alone : senders.batched;
  };
}

function headersOf({ accessToken }: Held): Record<string, string> {
  return accessToken === null ? {} : { authorization: `Bearer ${accessToken}` };
}

/** The HTTP link ends the chain: it never asks for a next one. */
function refuseNext(): never {
  throw new Error("auth.link ends the chain of links: put it last");
}
