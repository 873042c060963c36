import { isAuthError, type transformer } from "@countersign/shared";
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
import type { SessionStore, Tokens } from "./session.ts";

/** What sends a request: `fetch`, as tRPC calls it. */
export type Fetch = NonNullable<HTTPBatchLinkOptions<AnyTRPCRootTypes>["fetch"]>;

/** Where requests go, and how. */
export interface Transport {
  readonly url: string;
  readonly transformer: typeof transformer;
  readonly fetch?: Fetch;
}

/** Calls that go together in one request; the server takes no more. */
const maxItems = 10;
/** What proxies let pass of an address, with some room for the server's own. A query that is longer goes by itself. */
const maxURLLength = 6_000;

/**
 * The terminating link: attaches the access token, and retries an operation once after its token was replaced.
 *
 * It works per operation, since a batch answers 207 and its status tells nothing. An operation that is not about tokens
 * passes through as it is.
 */
export function createAuthLink<Router extends AnyTRPCRouter>(options: {
  readonly transport: Transport;
  readonly store: SessionStore;
  readonly refresh: (used: Tokens) => Promise<void>;
}): TRPCLink<Router> {
  const { transport, store, refresh } = options;

  return (runtime) => {
    const senderFor = createSenders(transport, runtime);
    return ({ op }) =>
      observable((observer) => {
        let running: Unsubscribable | undefined;
        let stopped = false;

        function attempt(isRetry: boolean): void {
          const used = store.tokens();
          running = senderFor(
            used,
            op,
          )({ op, next: refuseNext }).subscribe({
            next: (result) => observer.next(result),
            complete: () => observer.complete(),
            error: (error) => {
              if (used !== null && isSessionOver(error) && store.tokens() === used) store.signOut("SESSION_REVOKED");
              if (used === null || isRetry || !isAboutToken(error)) observer.error(error);
              else retry(used, error);
            },
          });
        }

        function retry(used: Tokens, error: TRPCClientError<Router>): void {
          refresh(used).then(
            () => {
              if (stopped) return;
              // Who signed out, or in as another, while the reply was under way did not make this call.
              if (store.tokens()?.user.id === used.user.id) attempt(true);
              else observer.error(error);
            },
            (refusal: TRPCClientError<Router>) => stopped || observer.error(refusal),
          );
        }

        attempt(false);
        return () => {
          stopped = true;
          running?.unsubscribe();
        };
      });
  };
}

/** What sends with these tokens. A batch has one `Authorization` header, so only calls with the same tokens share one. */
function createSenders(transport: Transport, runtime: Parameters<TRPCLink<AnyTRPCRouter>>[0]) {
  const make = (headers: Record<string, string>) => ({
    batched: httpBatchLink<AnyTRPCRouter>({ ...transport, maxItems, maxURLLength, headers })(runtime),
    alone: httpLink<AnyTRPCRouter>({ ...transport, headers })(runtime),
  });
  const signedOut = make({});
  const signedIn = new WeakMap<Tokens, ReturnType<typeof make>>();

  function sendersFor(tokens: Tokens | null) {
    if (tokens === null) return signedOut;
    const senders = signedIn.get(tokens) ?? make({ authorization: `Bearer ${tokens.accessToken}` });
    signedIn.set(tokens, senders);
    return senders;
  }

  return (tokens: Tokens | null, op: Operation) => sendersFor(tokens)[isTooLong(op) ? "alone" : "batched"];

  /** The batch link refuses a query that is too long for any batch. */
  function isTooLong({ type, input }: Operation): boolean {
    if (type !== "query" || input === undefined) return false;
    return encodeURIComponent(JSON.stringify(transport.transformer.input.serialize(input))).length > maxURLLength / 2;
  }
}

/** Refusals that a new access token can mend: the old one has expired, or its key was replaced. */
function isAboutToken(error: unknown): boolean {
  return isAuthError(error) && (error.data.reason === "TOKEN_EXPIRED" || error.data.reason === "TOKEN_INVALID");
}

function isSessionOver(error: unknown): boolean {
  return isAuthError(error) && error.data.reason === "SESSION_REVOKED";
}

/** The HTTP link ends the chain: it never asks for a next one. */
function refuseNext(): never {
  throw new Error("auth.link ends the chain of links: put it last");
}
