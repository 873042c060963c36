/** Keeps the sign-in as tokens: in memory, or in a storage that outlives the page and is shared by its tabs. */
import { isAuthError } from "@countersign/shared";
import type { SignedIn } from "@countersign/shared/schemas";
import { createIntents, endingReasonIn, type Held, type Keeper, overtaken, shared } from "./keeper.ts";
import { isPassing, withRetries } from "./retry.ts";
import type { Server } from "./server.ts";
import type { Session, SessionStore, SignedInSession, SignedOutReason } from "./session.ts";
import { createTabs } from "./tabs.ts";
import { areSame, read, type TokenStorage, type Tokens, tokensFrom, write } from "./token-storage.ts";

interface TokenHeld extends Held {
  readonly tokens: Tokens | null;
}

/**
 * @param options.storage `null` to keep tokens in memory alone, where every page has a sign-in of its own.
 * @param options.name The name in the storage: the same in all tabs that share the sign-in.
 */
export function createTokenKeeper(options: {
  readonly server: Server;
  readonly store: SessionStore;
  readonly storage: TokenStorage | null;
  readonly name: string;
}): Keeper {
  const { server, store, storage, name } = options;
  const intents = createIntents();
  const tabs = storage && createTabs(name, () => void catchUp().catch(() => {}));
  let tokens: Tokens | null = null;
  /** Aborted as soon as there are other tokens: nobody has to wait for a turn to replace the ones of before. */
  let moved = new AbortController();
  let held: TokenHeld = { accessToken: null, userId: null, tokens: null };

  // A storage that answers at once has its answer before the first render.
  let asked: ReturnType<TokenStorage["getItem"]> | undefined = ask();
  if (asked === null || typeof asked === "string") begin(asked);

  /** Makes these the tokens of this page, and tells of the transition that this is. */
  function adopt(next: Tokens | null, reason: SignedOutReason | null = "SIGNED_OUT"): void {
    const before = store.current();
    tokens = next;
    moved.abort();
    held = { accessToken: next?.accessToken ?? null, userId: next?.user.id ?? null, tokens: next };
    if (next === null) {
      if (before.status !== "signed-out") store.move({ type: "signed-out", session: { status: "signed-out", reason } });
      return;
    }
    const isSame = before.status === "signed-in" && before.user.id === next.user.id;
    store.move({ type: isSame ? "refreshed" : "signed-in", session: sessionOf(next) });
  }

  function ask(): ReturnType<TokenStorage["getItem"]> {
    const answer = attempt(() => storage?.getItem(name) ?? null);
    // Whoever awaits it is told; nobody may.
    Promise.resolve(answer).catch(() => {});
    return answer;
  }

  function begin(text: string | null): void {
    const found = text === null ? null : read(text);
    // What cannot be read will not be readable later.
    if (text !== null && found === null) void keep(null);
    adopt(found, text === null ? null : "TOKEN_INVALID");
  }

  const start = shared(async (): Promise<Session> => {
    if (store.current().status === "starting") {
      try {
        begin(await (asked ?? ask()));
      } catch (error) {
        asked = undefined;
        store.move({ type: "start-failed", session: { status: "starting", error } });
      }
    }
    return store.current();
  });

  /** What the storage has by now: another tab may have written it. A storage that fails has nothing to say. */
  async function stored(): Promise<Tokens | null> {
    if (storage === null) return tokens;
    try {
      const text = await storage.getItem(name);
      return text === null ? null : read(text);
    } catch {
      return tokens;
    }
  }

  async function keep(next: Tokens | null): Promise<void> {
    try {
      await (next === null ? storage?.removeItem(name) : storage?.setItem(name, write(next)));
    } catch {
      // A full or locked storage costs the sign-in of the next start, not this one.
    }
    tabs?.tell();
  }

  async function catchUp(): Promise<void> {
    await start();
    const found = await stored();
    if (!areSame(found, tokens)) adopt(found);
  }

  /** Replaces tokens, for all calls and all tabs that find them expired. A refusal ends the session; a failure ends nothing. */
  const refreshing = new WeakMap<Tokens, Promise<void>>();
  async function refresh(used: Tokens): Promise<void> {
    // A call that was sent before the last refresh finds the new tokens already there.
    if (tokens !== used) return;
    const running = refreshing.get(used) ?? replace(used).finally(() => refreshing.delete(used));
    refreshing.set(used, running);
    await running;
  }

  async function replace(used: Tokens): Promise<void> {
    store.move({ type: "refreshing", session: { ...sessionOf(used), isRefreshing: true } });
    try {
      moved = new AbortController();
      await (tabs?.alone(() => exchange(used), moved.signal) ?? exchange(used));
    } catch (error) {
      const reason = endingReasonIn(error);
      // Who signed out, or in as another, while the reply was under way meant what they did.
      if (tokens === used) {
        if (reason === null) store.move({ type: "refresh-failed", session: sessionOf(used) });
        else await over(reason);
      }
      throw error;
    }
  }

  async function exchange(used: Tokens): Promise<void> {
    if (await isOvertaken(used)) return;
    const next = await withRetries((signal) =>
      timed(() => server.auth.refresh.mutate({ refreshToken: used.refreshToken }, { signal })),
    );
    if (await isOvertaken(used)) return;
    adopt(next);
    await keep(next);
  }

  /** Whether another tab, or this one, has moved on from these tokens. What the other tab has is then ours too. */
  async function isOvertaken(used: Tokens): Promise<boolean> {
    const found = await stored();
    if (tokens !== used) return true;
    if (areSame(found, used)) return false;
    adopt(found);
    return true;
  }

  async function over(reason: SignedOutReason): Promise<void> {
    adopt(null, reason);
    await keep(null);
  }

  /** Ends a session that this page has no use for any more. */
  function end({ refreshToken }: Pick<Tokens, "refreshToken">): void {
    server.auth.logout.mutate({ refreshToken }).catch(() => {});
  }

  async function signIn(ask: () => Promise<SignedIn>) {
    const isLate = intents.begin();
    const next = await timed(ask);
    if (isLate()) {
      end(next);
      throw overtaken();
    }
    const before = tokens;
    adopt(next);
    await keep(next);
    if (before !== null) end(before);
    return next.user;
  }

  const isStale = () => tokens !== null && Date.now() >= tokens.staleAt;

  async function takeLater(): Promise<Held> {
    await start();
    if (tokens !== null && isStale()) {
      // Without a network the old token is as good as any; the server has the last word.
      await refresh(tokens).catch((error: unknown) => {
        if (!isPassing(error)) throw error;
      });
    }
    return held;
  }

  return {
    start,

    take: () => (store.current().status === "starting" || isStale() ? takeLater() : held),

    async mend(sentWith, error) {
      if (!isAuthError(error)) return false;
      const used = (sentWith as TokenHeld).tokens;
      if (used === null) return false;
      const { reason } = error.data;
      if (reason === "SESSION_REVOKED" && tokens === used) await over(reason);
      if (reason !== "TOKEN_EXPIRED" && reason !== "TOKEN_INVALID") return false;
      await refresh(used);
      return tokens?.user.id === used.user.id;
    },

    login: (input) => signIn(() => server.auth.login.mutate(input)),
    register: (input) => signIn(() => server.auth.register.mutate(input)),

    async logout() {
      intents.begin();
      if (store.current().status === "starting") await start();
      const used = tokens;
      if (used === null) return;
      // Here at once: nothing is awaited before.
      const kept = over("SIGNED_OUT");
      await server.auth.logout.mutate({ refreshToken: used.refreshToken });
      await kept;
    },

    close: () => tabs?.close(),
  };
}

/** The tokens of a reply, with how long they live from the moment that it was asked for, and arrived. */
async function timed(ask: () => Promise<SignedIn>): Promise<Tokens> {
  const askedAt = Date.now();
  const signedIn = await ask();
  return tokensFrom(signedIn, { askedAt, arrivedAt: Date.now() });
}

function sessionOf({ user, scope, expiresAt }: Tokens): SignedInSession {
  return {
    status: "signed-in",
    user,
    scopes: scope === "" ? [] : scope.split(" "),
    expiresAt: new Date(expiresAt),
    isRefreshing: false,
  };
}

/** What a storage answers, or a promise that fails where it throws. */
function attempt<T>(work: () => T | Promise<T>): T | Promise<T> {
  try {
    return work();
  } catch (error) {
    return Promise.reject<T>(error);
  }
}
