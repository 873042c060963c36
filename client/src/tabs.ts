/** Tabs of one origin tell each other that the sign-in has changed. What it is now, each reads for itself. */
import type { SignedOutReason } from "./session.ts";

export interface Tabs {
  /** Listens to the others from now on, if it does not yet. */
  listen(): void;
  /** Tells the others, and why nobody is signed in any more. */
  tell(why?: SignedOutReason): void;
  close(): void;
}

/**
 * Notices changes by other tabs, and what was missed when this page comes back from the back/forward cache or goes online.
 *
 * @param name The same in all tabs that share the sign-in.
 */
export function createTabs(name: string, onChange: (why?: SignedOutReason) => void): Tabs {
  let channel: BroadcastChannel | null = null;
  let closing: AbortController | undefined;
  let isClosed = false;

  function make(): BroadcastChannel | null {
    // Deno's would keep a script from ending, and has no `unref`.
    const { BroadcastChannel: Channel, Deno } = globalThis as typeof globalThis & { readonly Deno?: object };
    return Channel && !Deno ? new Channel(name) : null;
  }

  function open(): void {
    channel = make();
    if (channel === null) return;
    channel.onmessage = ({ data }) => onChange(data ?? undefined);
    // Node only: listening for other tabs is no reason to stay alive.
    (channel as { unref?: () => void }).unref?.();
  }

  function shut(): void {
    channel?.close();
    channel = null;
  }

  return {
    listen() {
      if (closing !== undefined || isClosed) return;
      closing = new AbortController();
      const until = { signal: closing.signal };
      const { addEventListener: on } = globalThis;
      open();
      // A page with an open channel is not kept for the way back.
      on?.("pagehide", shut, until);
      on?.(
        "pageshow",
        ({ persisted }) => {
          if (!persisted) return;
          open();
          onChange();
        },
        until,
      );
      // Browsers without channels tell of changes of localStorage all the same.
      on?.("storage", ({ key }) => channel === null && key === name && onChange(), until);
      on?.("online", () => onChange(), until);
    },
    tell(why) {
      // Also where this page does not listen yet, or no longer.
      const line = channel ?? make();
      line?.postMessage(why);
      if (line !== channel) line?.close();
    },
    close() {
      isClosed = true;
      shut();
      closing?.abort();
    },
  };
}
