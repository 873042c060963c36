import type { Transformer } from "@countersign/shared";
import {
  type HTTPBatchLinkOptions,
  httpBatchLink,
  httpLink,
  type Operation,
  type TRPCClientError,
  type TRPCLink,
} from "@trpc/client";
import type { AnyTRPCRootTypes, AnyTRPCRouter } from "@trpc/server";
import { observable, type Unsubscribable } from "@trpc/server/observable";
import type { Held, Keeper } from "./keeper.ts";
import type { StepUp } from "./step-up.ts";

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
 * refused for, or the person proved again who they are.
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
    const senderFor = createSenders(transport, runtime);
    return ({ op }) =>
      observable((observer) => {
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
          )({ op, next: refuseNext }).subscribe({
            next: (result) => observer.next(result),
            complete: () => observer.complete(),
            error: (error) => void recover(held, error, retries).catch(fail),
          });
        }

        async function recover(held: Held, error: TRPCClientError<Router>, retries: number): Promise<void> {
          const isMended = retries > 0 && ((await keeper.mend(held, error)) || (await stepUp(op, held, error)));
          if (isMended) await send(retries - 1);
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

/** What sends with this token. A batch has one `Authorization` header, so only calls with the same token share one. */
function createSenders(transport: Transport, runtime: Parameters<TRPCLink<AnyTRPCRouter>>[0]) {
  const made = new WeakMap<Held, ReturnType<typeof make>>();

  function make({ accessToken }: Held) {
    const headers: Record<string, string> = accessToken === null ? {} : { authorization: `Bearer ${accessToken}` };
    return {
      batched: httpBatchLink<AnyTRPCRouter>({ ...transport, maxItems, maxURLLength, headers })(runtime),
      alone: httpLink<AnyTRPCRouter>({ ...transport, headers })(runtime),
    };
  }

  /** The batch link refuses a query that is too long for any batch. */
  function isTooLong({ type, input }: Operation): boolean {
    if (type !== "query" || input === undefined) return false;
    return encodeURIComponent(JSON.stringify(transport.transformer.input.serialize(input))).length > maxURLLength / 2;
  }

  return (held: Held, op: Operation) => {
    const senders = made.get(held) ?? make(held);
    made.set(held, senders);
    return isTooLong(op) ? senders.alone : senders.batched;
  };
}

/** The HTTP link ends the chain: it never asks for a next one. */
function refuseNext(): never {
  throw new Error("auth.link ends the chain of links: put it last");
}
