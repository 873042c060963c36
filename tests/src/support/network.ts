/** The network between a client and the server: counted, cut and held up by tests. */
import type { createAuthClient } from "@countersign/client";

type Fetch = NonNullable<Parameters<typeof createAuthClient>[0]["fetch"]>;

export interface Network {
  /** Give it to the client. */
  readonly fetch: Fetch;
  /** Procedures of each request, in the order of sending: `["auth.login", "read,whoami"]`. */
  readonly sent: string[];
  /** The access token of each request; `null` without one. */
  readonly tokens: (string | null)[];
  /** Whether nothing gets through. */
  isDown: boolean;
  /** Keeps the replies to a procedure back. `arrived` resolves when the server has answered the first one. */
  hold(procedure: string): { readonly arrived: Promise<void>; release(): void };
}

export function createNetwork(): Network {
  const sent: string[] = [];
  const tokens: (string | null)[] = [];
  const held = new Map<string, { arrive(): void; released: Promise<void> }>();
  const network: Network = {
    sent,
    tokens,
    isDown: false,
    async fetch(input, init) {
      const procedures = decodeURIComponent(new URL(String(input)).pathname.replace(/^.*\/trpc\//, ""));
      sent.push(procedures);
      tokens.push(new Headers(init?.headers as HeadersInit).get("authorization")?.replace("Bearer ", "") ?? null);
      if (network.isDown) throw new TypeError("fetch failed");
      const reply = await fetch(String(input), init as RequestInit);
      const hold = held.get(procedures);
      hold?.arrive();
      await hold?.released;
      return reply;
    },
    hold(procedure) {
      const arrival = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      held.set(procedure, { arrive: arrival.resolve, released: release.promise });
      return {
        arrived: arrival.promise,
        release() {
          held.delete(procedure);
          release.resolve();
        },
      };
    },
  };
  return network;
}
