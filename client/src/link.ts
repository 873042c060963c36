import type { Transformer } from "@countersign/shared";
import {
  type HTTPBatchLinkOptions,
  httpBatchLink,
  type Operation,
  type TRPCClientError,
  type TRPCLink,
} from "@trpc/client";
import type { AnyTRPCRootTypes, AnyTRPCRouter } from "@trpc/server";
import { observable, type Unsubscribable } from "@trpc/server/observable";
import type { Held, Keeper } from "./keeper.ts";
import type { SessionStore } from "./session.ts";
import type { StepUp } from "./step-up.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** What sends a request: `fetch`, as tRPC calls it. */
export type Fetch = NonNullable<HTTPBatchLinkOptions<AnyTRPCRootTypes>["fetch"]>;

/** Where requests go, and how. */
export interface Transport {
  readonly url: string;
  readonly transformer: Transformer;
  readonly fetch: Fetch;
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
  readonly store: SessionStore;
  readonly stepUp: StepUp | undefined;
  readonly subscriptions: Subscriptions | undefined;
}): TRPCLink<Router> {
  const { transport, keeper, store, stepUp, subscriptions } = options;

  return (runtime) => {
    const senderFor = createSenders(transport, { runtime, keeper, subscriptions });
    return ({ op }) =>
      observable((observer) => {
        const subscription =
          op.type === "subscription" ? (subscriptions?.start(op, { keeper, store, end: fail }) ?? null) : null;
        let running: Unsubscribable | undefined;
        let isStopped = false;

        async function send(retries: number): Promise<void> {
          const taken = keeper.take();
          // Who calls and signs out in the same moment means the call to be theirs.
          const held = "then" in taken ? await taken : taken;
          if (isStopped) return;
          const sender = senderFor(held, op);
          running = sender({ op: subscription?.next(held) ?? op, next: refuse }).subscribe({
            next(envelope) {
              subscription?.note(envelope.result);
              observer.next(envelope);
            },
            complete: () => observer.complete(),
            error: (error) => void recover(held, error, retries).catch(fail),
          });
        }

        async function recover(held: Held, error: TRPCClientError<Router>, retries: number): Promise<void> {
          // A stream that ran, and then broke, begins anew.
          const left = subscription?.hasRun() ? maxRetries : retries;
          if (left > 0 && ((await (subscription ?? keeper).mend(held, error)) || (await stepUp?.(op, held, error))))
            await send(left - 1);
          else fail(error);
        }

        function fail(error: TRPCClientError<Router>): void {
          if (!isStopped) observer.error(error);
        }

        send(maxRetries).catch(fail);
        // Also when it is over by itself.
        return () => {
          isStopped = true;
          running?.unsubscribe();
          subscription?.stop();
        };
      });
  };
}

/** What sends with this token. A batch has one `Authorization` header, so only calls with the same token share one. */
function createSenders(
  transport: Transport,
  {
    runtime,
    keeper,
    subscriptions,
  }: {
    runtime: Parameters<TRPCLink<AnyTRPCRouter>>[0];
    keeper: Keeper;
    subscriptions: Subscriptions | undefined;
  },
) {
  const made = new WeakMap<Held, ReturnType<typeof make>>();

  function make(held: Held) {
    const options = { ...transport, headers: headersOf(held) };
    return {
      batched: httpBatchLink<AnyTRPCRouter>({ ...options, maxItems, maxURLLength })(runtime),
      alone: httpBatchLink<AnyTRPCRouter>({ ...options, maxItems: 1 })(runtime),
    };
  }

  /** The batch link refuses a query that is too long for any batch. */
  function isTooLong({ type, input }: Operation): boolean {
    if (type !== "query") return false;
    return encodeURIComponent(JSON.stringify(transport.transformer.input.serialize(input))).length > maxURLLength / 2;
  }

  return (held: Held, op: Operation) => {
    if (op.type === "subscription") return subscriptions?.link(transport, keeper, held)(runtime) ?? refuse;
    const senders = made.get(held) ?? make(held);
    made.set(held, senders);
    return isTooLong(op) ? senders.alone : senders.batched;
  };
}

/** The headers that say who calls: the bearer token, or whom the cookie is meant to name; none for nobody. */
export function headersOf({ accessToken, user }: Held): Record<string, string> {
  if (accessToken !== null) return { authorization: `Bearer ${accessToken}` };
  // A cookie says who calls, and this who is meant to: another tab may have signed in as another.
  return user === null ? {} : { "countersign-account": user.id };
}

/** Our links end the chain and never ask for a next one; a subscription needs a link that was not given. */
function refuse(): never {
  throw new Error('Give "subscriptions" to createAuthClient');
}
