/** Tokens in a storage, for all tabs that share it. */
import { localStorageOrNull } from "./local-storage.ts";
import { withLock } from "./lock.ts";
import { pauseAfter } from "./retry.ts";
import type { SignedOutReason } from "./session.ts";
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
  readonly onChange: (why?: SignedOutReason) => void;
}): TokenPlace | null {
  const { url, onChange } = options;
  // Names of Expo's SecureStore may have no other characters.
  const name = `countersign_${url.replace(/[^\w.-]+/g, "_")}`;
  // Without it the sign-in lasts as long as the page.
  const found = options.storage === "localStorage" ? localStorageOrNull() : options.storage;
  if (found === null) return null;
  const storage: TokenStorage = found;
  const tabs = createTabs(name, onChange);

  let writes = 0;
  let writing: Promise<void> = Promise.resolve();
  /** Whether what is there is older than what this page has. */
  let isBehind = false;

  /** One after the other, however slow the storage is: the last is what stays. */
  function keep(tokens: Tokens | null, reason?: SignedOutReason): Promise<void> {
    writes += 1;
    const mine = writes;
    isBehind = true;
    writing = writing.then(async () => {
      if (mine !== writes) return;
      const isKept = await isDone(() =>
        tokens === null ? storage.removeItem(name) : storage.setItem(name, JSON.stringify(tokens)),
      );
      // The sign-in of this page goes on without it. What is there is no longer good, and would cost all tabs the session.
      if (!isKept) await isDone(() => storage.removeItem(name));
      else if (mine === writes) isBehind = false;
      tabs.tell(reason);
    });
    return writing;
  }

  return {
    async start() {
      const first = parse(await storage.getItem(name));
      if (first !== undefined) return [first];
      // Another process may be writing it.
      await pauseAfter(null, 1);
      const tokens = parse(await storage.getItem(name));
      return tokens === undefined ? [null, "TOKEN_INVALID"] : [tokens];
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

/** Reads what was written; `undefined` for what is damaged, and for what something else wrote. */
function parse(text: string | null): Tokens | null | undefined {
  if (text === null) return null;
  try {
    const found = JSON.parse(text) as Partial<Tokens> | null;
    const isWhole = found?.accessToken && found.refreshToken && found.user?.id && found.staleAt;
    return isWhole && typeof found.scope === "string" ? (found as Tokens) : undefined;
  } catch {
    return undefined;
  }
}

async function isDone(work: () => unknown): Promise<boolean> {
  try {
    await work();
    return true;
  } catch {
    return false;
  }
}
