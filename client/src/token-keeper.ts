/** Keeps the sign-in as tokens, and replaces them in time. */
import type { RefreshInput, SignedIn } from "@countersign/shared/schemas";
import { endingReasonIn, failureIn, type Held, type Keeper, nobody, overtaken, shared } from "./keeper.ts";
import type { Fetch, Transport } from "./link.ts";
import { isPassing, withRetries, withTimeout } from "./retry.ts";
import { createServer } from "./server.ts";
import type { SessionStore, SignedOutReason } from "./session.ts";
import { storedTokens } from "./stored-tokens.ts";
import { areSame, type TokenPlace, type TokenStorage, type Tokens } from "./token-place.ts";

/** @param options.transport To where the server is: tabs with the same address share a storage's tokens. */
export function createTokenKeeper(options: {
  readonly transport: Transport;
  readonly store: SessionStore;
  readonly storage: TokenStorage | "memory" | "localStorage";
}): Keeper {
  const { transport, store, storage } = options;
  const { url } = transport;
  const server = createServer({ ...transport, fetch: understandingProxies(transport.fetch) });
  /** Counts sign-ins and sign-outs: the latest is what was meant. */
  let intent = 0;
  let place: TokenPlace | null = null;
  let tokens: Tokens | null = null;

  /** Makes these the tokens of this page, and tells of the transition that this is. */
  function adopt(next: Tokens | null, reason?: SignedOutReason): void {
    tokens = next;
    if (next === null) store.signOut(reason);
    else store.signIn(sessionOf(next));
  }

  const start = shared(async () => {
    if (store.isStarting()) {
      try {
        place ??= storage === "memory" ? null : storedTokens({ storage, url, onChange: (why) => void catchUp(why) });
        const found: Parameters<typeof adopt> = (await place?.start()) ?? [null];
        if (store.isStarting()) adopt(...found);
        else {
          // Who signed in meanwhile meant that.
          await place?.keep(tokens);
          endOnServer(found[0]);
        }
      } catch (error) {
        if (store.isStarting()) store.move({ type: "start-failed", session: { status: "starting", error } });
      }
    }
    return store.current();
  });

  async function catchUp(why?: SignedOutReason): Promise<void> {
    await start();
    const before = tokens;
    const found = await place?.read();
    // What changed while it was read is later than what was read.
    if (tokens !== before) await catchUp(why);
    else if (found !== undefined && !areSame(found, tokens)) adopt(found, why);
  }

  async function enter(next: Tokens | null, reason?: SignedOutReason): Promise<void> {
    adopt(next, reason);
    await place?.keep(next, reason);
  }

  const refreshing = new WeakMap<Tokens, Promise<void>>();

  /** Replaces tokens, for all calls and all tabs that find them expired. */
  async function refresh(used: Tokens): Promise<void> {
    // A call that was sent before the last refresh finds the new tokens already there.
    if (tokens !== used) return;
    const running = refreshing.get(used) ?? replace(used).finally(() => refreshing.delete(used));
    refreshing.set(used, running);
    await running;
  }

  /** A refusal ends the session; a failure ends nothing. */
  async function replace(used: Tokens): Promise<void> {
    tell(used, true);
    try {
      await (place?.alone(() => exchange(used)) ?? exchange(used));
    } catch (error) {
      const reason = endingReasonIn(error);
      // Who signed out, or in as another, while the reply was under way meant what they did.
      if (tokens === used) await (reason === null ? tell(used, false) : enter(null, reason));
      throw error;
    }
  }

  function tell(used: Tokens, isRefreshing: boolean): void {
    const type = isRefreshing ? "refreshing" : "refresh-failed";
    store.move({ type, session: { status: "signed-in", ...sessionOf(used), isRefreshing } });
  }

  async function exchange(used: Tokens): Promise<void> {
    if (await isOvertaken(used)) return;
    const { refreshToken } = used;
    const attempt = await nameAttempt(used);
    const ask = (input: RefreshInput) =>
      withRetries((signal) => timed(() => server.auth.refresh.mutate(input, { signal })));
    const next = await ask({ refreshToken, ...attempt }).catch((error: unknown) => {
      // A server of an older version knows no names.
      if (attempt.attempt === undefined || failureIn(error)?.reason !== "BAD_REQUEST") throw error;
      return ask({ refreshToken });
    });
    if (!(await isOvertaken(used))) await enter(next);
  }

  const attempts = new WeakMap<Tokens, string>();

  /**
   * Names the refresh of these tokens, the same at every try, by whichever tab and after whatever: if its reply is lost,
   * the server gives it again. Where nothing secret can be made, the server's grace has to do.
   */
  async function nameAttempt(used: Tokens): Promise<{ attempt?: string }> {
    const attempt = attempts.get(used) ?? (await place?.read())?.attempt ?? globalThis.crypto?.randomUUID?.();
    if (attempt === undefined) return {};
    attempts.set(used, attempt);
    // Before it is sent: this page may be gone when the reply comes.
    await place?.keep({ ...used, attempt });
    return { attempt };
  }

  /** Whether another tab, or this one, has moved on from these tokens. What the other tab has is then ours too. */
  async function isOvertaken(used: Tokens): Promise<boolean> {
    const found = await place?.read();
    if (tokens !== used) return true;
    if (found === undefined || areSame(found, used)) return false;
    adopt(found);
    return true;
  }

  async function signIn(ask: (signal: AbortSignal) => Promise<SignedIn>) {
    intent += 1;
    const mine = intent;
    const next = await withTimeout((signal) => timed(() => ask(signal)));
    const over = mine === intent ? tokens : next;
    if (over !== next) await enter(next);
    endOnServer(over);
    if (over === next) throw overtaken();
    return next.user;
  }

  /** A session that this page has no use for. */
  function endOnServer(over: Tokens | null): void {
    if (over !== null) server.auth.logout.mutate({ refreshToken: over.refreshToken }).catch(() => {});
  }

  const isStale = () => tokens !== null && Date.now() >= tokens.staleAt;

  async function takeLater(): Promise<Held> {
    const caller = tokens?.user;
    await start();
    if (tokens !== null && isStale()) {
      // Without a network the old token is as good as any; the server has the last word.
      await refresh(tokens).catch((error: unknown) => {
        if (!isPassing(error)) throw error;
      });
    }
    // Who signed in meanwhile did not make this call.
    if (tokens !== null && caller !== undefined && tokens.user.id !== caller.id) throw overtaken();
    return tokens ?? nobody;
  }

  return {
    start,
    take: () => (store.isStarting() || isStale() ? takeLater() : (tokens ?? nobody)),

    async mend(sentWith, error) {
      const reason = failureIn(error)?.reason;
      if (sentWith === nobody) return false;
      // Everything else that this keeper hands out is tokens.
      const used = sentWith as Tokens;
      // A session that ended when its person signed in anew has a successor, here or in another tab.
      if (reason === "SESSION_REVOKED" && !(await isOvertaken(used))) await enter(null, reason);
      if (reason === "TOKEN_EXPIRED" || reason === "TOKEN_INVALID") await refresh(used);
      else if (reason !== "SESSION_REVOKED") return false;
      return tokens?.user.id === used.user.id;
    },

    login: (input) => signIn((signal) => server.auth.login.mutate(input, { signal })),
    register: (input) => signIn((signal) => server.auth.register.mutate(input, { signal })),

    async logout() {
      intent += 1;
      if (store.isStarting()) await start();
      const session = store.current();
      if (session.status === "starting") {
        // Who is signed in could not be read, and so the server cannot be told.
        await enter(null);
        throw session.error;
      }
      const used = tokens;
      if (used === null) return;
      // Here at once: nothing is awaited before.
      const { refreshToken } = used;
      const onServer = withRetries((signal) => server.auth.logout.mutate({ refreshToken }, { signal }));
      await Promise.all([enter(null), onServer]);
    },

    listen: () => place?.listen(),
    close: () => place?.close(),
  };
}

/**
 * The tokens of a reply. Their life began somewhere between the request and the reply: counted from the request, nothing is
 * sent too late; and however slow the reply was, they are used for half of it at least.
 */
async function timed(ask: () => Promise<SignedIn>): Promise<Tokens> {
  const askedAt = Date.now();
  const { accessToken, refreshToken, user, scope, ...reply } = await ask();
  const expiresAt = reply.expiresAt.getTime();
  // A server of an older version does not say how long that is; then the clocks have to agree.
  const lifeMs = (reply.expiresIn ?? (expiresAt - askedAt) / 1_000) * 1_000;
  // Sooner than the server would refuse it: a tenth of its life, half a minute at most.
  const inTime = askedAt + lifeMs - Math.min(lifeMs / 10, 30_000);
  return { accessToken, refreshToken, user, scope, expiresAt, staleAt: Math.max(inTime, Date.now() + lifeMs / 2) };
}

function sessionOf({ user, scope, expiresAt }: Tokens): Parameters<SessionStore["signIn"]>[0] {
  return { user, scopes: scope.split(" ").filter(Boolean), expiresAt: new Date(expiresAt) };
}

/** What a proxy, busy or without its server, answers in the server's place is `UNAVAILABLE`, as the server would say it. */
function understandingProxies(fetch: Fetch): Fetch {
  return async (input, init) => {
    const response = (await fetch(input, init)) as Response;
    const { status, headers } = response;
    if ((status !== 429 && status < 500) || headers.get("content-type")?.includes("json")) return response;
    const retryAfter = Number(headers.get("retry-after")) || 1;
    const data = { reason: "UNAVAILABLE", details: { retryAfter }, code: "SERVICE_UNAVAILABLE", httpStatus: status };
    const error = { json: { code: -32603, message: `The server cannot be reached (${status}).`, data } };
    return Response.json([{ error }], { status });
  };
}
