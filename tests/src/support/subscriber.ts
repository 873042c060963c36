/** A tRPC client that subscribes over server-sent events, with one access token or with the one of the moment. */
import { EventEmitter, once } from "node:events";
import { transformer } from "@countersign/shared";
import type { SignedIn } from "@countersign/shared/schemas";
import { createTRPCClient, httpSubscriptionLink, type TRPCClientError } from "@trpc/client";
import { EventSource } from "eventsource";
import type { TestRouter } from "./test-router.ts";

type Holder = Pick<SignedIn, "accessToken"> | null;

export interface Subscriber extends Disposable {
  /** What came so far. */
  readonly notes: readonly string[];
  /** The reasons and states of the connection so far, as in `connecting UNAVAILABLE`. */
  readonly states: readonly string[];
  /** Resolves when so many notes have come. */
  has(count: number): Promise<void>;
  /** Resolves when the connection has been in this state, as in `pending`, so often. */
  was(state: string, times?: number): Promise<void>;
  /** Rejects with the error that ended it, and resolves when the server said that nothing more comes. */
  readonly ended: Promise<void>;
}

/** Subscribes to a board: `live` for whoever is signed in, `publicLive` for everyone. */
export function subscribe(
  url: string,
  holder: Holder | (() => Holder),
  board: string,
  procedure: "live" | "publicLive" = "live",
): Subscriber {
  const tokenOf = () => (typeof holder === "function" ? holder() : holder)?.accessToken;
  const client = createTRPCClient<TestRouter>({
    links: [
      httpSubscriptionLink({
        url: `${url}/trpc`,
        transformer,
        EventSource,
        eventSourceOptions: {
          fetch: async (input, init) =>
            soonAgain(
              await fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${tokenOf()}` } }),
            ),
        },
      }),
    ],
  });
  const changes = new EventEmitter();
  const notes: string[] = [];
  const states: string[] = [];
  const ended = Promise.withResolvers<void>();
  // Not every test awaits the end.
  ended.promise.catch(() => {});
  const note = (list: string[], item: string) => {
    list.push(item);
    changes.emit("change");
  };
  const subscription = client[procedure].subscribe(
    { board },
    {
      onData: ({ data }) => note(notes, data),
      onConnectionStateChange: ({ state, error }) => note(states, [state, reasonOf(error)].filter(Boolean).join(" ")),
      onComplete: () => ended.resolve(),
      onError: (error) => ended.reject(error),
    },
  );
  return {
    notes,
    states,
    async has(count) {
      while (notes.length < count) await once(changes, "change");
    },
    async was(state, times = 1) {
      while (states.filter((entry) => entry === state).length < times) await once(changes, "change");
    },
    ended: ended.promise,
    [Symbol.dispose]: () => subscription.unsubscribe(),
  };
}

/** The reply with a word before it that makes the client come again after 20 ms, and not after the usual 3 s. */
function soonAgain(reply: Response): Response {
  const hurry = new TransformStream({ start: (controller) => controller.enqueue(Buffer.from("retry: 20\n\n")) });
  return new Response(reply.body?.pipeThrough(hurry) ?? null, reply);
}

function reasonOf(error: TRPCClientError<TestRouter> | null): string | null {
  return error?.data?.reason ?? null;
}
