/** Tokens in a storage, for all tabs that share it. */
import { createTabs } from "./tabs.ts";
import type { TokenPlace, TokenStorage, Tokens } from "./token-place.ts";

/**
 * Answers `null` where there is no storage after all: tokens are then kept in memory.
 *
 * @param options.url Where the server is: tabs with the same share their tokens.
 * @param options.onChange Called when another tab may have changed what is there.
 */
export function storedTokens(options: {
  readonly storage: TokenStorage | "localStorage";
  readonly url: string;
  readonly onChange: () => void;
}): TokenPlace | null {
  const { url, onChange } = options;
  // Names of Expo's SecureStore may have no other characters.
  const name = `countersign_${url.replace(/[^\w.-]+/g, "_")}`;
  const found = options.storage === "localStorage" ? localStorageOrNull() : options.storage;
  if (found === null) return null;
  const storage: TokenStorage = found;
  const tabs = createTabs(name, onChange);

  /** Whether what is there is older than what this page has. */
  let isBehind = false;

  async function keep(tokens: Tokens | null): Promise<void> {
    isBehind = true;
    try {
      await (tokens === null ? storage.removeItem(name) : storage.setItem(name, JSON.stringify(tokens)));
      isBehind = false;
    } catch {
      // The sign-in of this page goes on without it.
    }
    tabs.tell();
  }

  return {
    async start() {
      const text = await storage.getItem(name);
      const tokens = parse(text);
      if (text === null || tokens !== null) return [tokens];
      // What cannot be read will not be readable later.
      await keep(null);
      return [tokens, "TOKEN_INVALID"];
    },
    async read() {
      if (isBehind) return undefined;
      try {
        return parse(await storage.getItem(name));
      } catch {
        return undefined;
      }
    },
    keep,
    alone: (work) => withLock(name, work),
    listen: tabs.listen,
    close: tabs.close,
  };
}

/** Without it, as on a server or where the person forbids it, the sign-in lasts as long as the page. */
function localStorageOrNull(): TokenStorage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

/** Reads what was written; `null` for nothing, for what is damaged, and for what something else wrote. */
function parse(text: string | null): Tokens | null {
  try {
    const found = JSON.parse(text ?? "null") as Partial<Tokens> | null;
    const isWhole = found?.accessToken && found.refreshToken && found.user?.id && found.staleAt;
    return isWhole && typeof found.scope === "string" ? (found as Tokens) : null;
  } catch {
    return null;
  }
}

/** A tab that hangs must not keep the others waiting: without the lock, the server still gives all the same answer. */
const longestWaitMs = 15_000;

async function withLock(name: string, work: () => Promise<void>): Promise<void> {
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return work();
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(), longestWaitMs);
  let isMine = false;
  try {
    await locks.request(name, { signal: waiting.signal }, () => {
      isMine = true;
      clearTimeout(timer);
      return work();
    });
  } catch (error) {
    if (isMine || !waiting.signal.aborted) throw error;
    await work();
  } finally {
    clearTimeout(timer);
  }
}
