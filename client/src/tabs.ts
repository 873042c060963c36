/** Tabs of one origin tell each other that the sign-in has changed. What it is now, each reads for itself. */

export interface Tabs {
  /** Tells the others. */
  tell(): void;
  /** Does `work` while no other tab does the same, where the platform has locks, unless it is needless by then. */
  alone(work: () => Promise<void>, isNeedless: AbortSignal): Promise<void>;
  close(): void;
}

/** A tab that hangs must not keep the others waiting: without the lock, the server still gives all the same answer. */
const longestWaitMs = 15_000;

/**
 * Listens to the other tabs, and notices when this page comes back from the back/forward cache, where it heard nothing.
 *
 * @param name The same in all tabs that share the sign-in.
 */
export function createTabs(name: string, onChange: () => void): Tabs {
  let channel = open();

  function open(): BroadcastChannel | null {
    if (typeof BroadcastChannel === "undefined") return null;
    const opened = new BroadcastChannel(name);
    opened.onmessage = onChange;
    // Node only: listening for other tabs is no reason to stay alive.
    (opened as { unref?: () => void }).unref?.();
    return opened;
  }

  function shut(): void {
    channel?.close();
    channel = null;
  }

  const closing = new AbortController();
  const until = { signal: closing.signal };
  const { addEventListener: listen } = globalThis;
  // A page with an open channel is not kept for the way back.
  listen?.("pagehide", shut, until);
  listen?.(
    "pageshow",
    ({ persisted }) => {
      if (!persisted) return;
      channel = open();
      onChange();
    },
    until,
  );
  // Browsers without channels tell of changes of localStorage all the same.
  listen?.(
    "storage",
    ({ key }) => {
      if (channel === null && key === name) onChange();
    },
    until,
  );
  listen?.("online", onChange, until);

  return {
    tell: () => channel?.postMessage(null),
    alone: (work, isNeedless) => withLock(name, work, isNeedless),
    close() {
      shut();
      closing.abort();
    },
  };
}

async function withLock(name: string, work: () => Promise<void>, isNeedless: AbortSignal): Promise<void> {
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return work();
  const waiting = new AbortController();
  const stop = () => waiting.abort();
  const timer = setTimeout(stop, longestWaitMs);
  isNeedless.addEventListener("abort", stop);
  let isMine = false;
  try {
    await locks.request(name, { signal: waiting.signal }, () => {
      isMine = true;
      clearTimeout(timer);
      return work();
    });
  } catch (error) {
    if (isMine || !waiting.signal.aborted) throw error;
    if (!isNeedless.aborted) await work();
  } finally {
    clearTimeout(timer);
  }
}
