import { callerTransformer as transformer } from "@countersign/shared";
import type { CurrentSession, LoginInput, RegisterInput, User } from "@countersign/shared/schemas";
import { createTRPCClient, type TRPCClient, type TRPCLink } from "@trpc/client";
import type { AnyTRPCRouter } from "@trpc/server";
import type { EventSourceLike } from "@trpc/server/unstable-core-do-not-import";
import { createCookieKeeper } from "./cookie-keeper.ts";
import type { Keeper } from "./keeper.ts";
import { createAuthLink, type Fetch, type Transport } from "./link.ts";
import { createServer } from "./server.ts";
import { createSessionStore, type Session, type SessionEvent, type SessionStore } from "./session.ts";
import { createStepUp, type StepUpRequest } from "./step-up.ts";
import { createTokenKeeper } from "./token-keeper.ts";
import type { TokenStorage } from "./token-storage.ts";

/** An application's router, with Countersign's mounted as `auth`. */
export type RouterWithAuth = AnyTRPCRouter & { readonly _def: { readonly record: { readonly auth: object } } };

export interface AuthClientOptions {
  /** Where the server's tRPC is, as in `https://app.example/trpc`. */
  readonly url: string;
  /**
   * Where the sign-in is kept.
   *
   * - `"cookie"`: in a cookie that no script can read. For pages of the server's own site, and the default on pages of
   *   its own origin.
   * - `"memory"`: until the page is left, and in this tab alone. The default everywhere else.
   * - `"localStorage"`: for all tabs, until signed out. Any script of the page can read it.
   * - A storage of your own: SecureStore, a keychain, a file.
   */
  readonly storage?: "cookie" | "memory" | "localStorage" | TokenStorage;
  /** Who is signed in, as the server said when it rendered the page (`auth.session`). Saves the first question, with `"cookie"`. */
  readonly session?: CurrentSession;
  /**
   * Asked when a call needs a more recent sign-in: lets the person sign in again, and resolves. The call is then sent once
   * more, and its caller notices nothing. When it rejects, the call fails with `FRESH_LOGIN_REQUIRED`.
   */
  readonly onStepUp?: (request: StepUpRequest) => Promise<unknown>;
  /**
   * What opens streams for subscriptions. Default: the platform's, which sends a cookie, and no token: where tokens are
   * kept, give the one of the npm package `eventsource`, which sends them in a header and never in an address.
   */
  readonly EventSource?: EventSourceLike.AnyConstructor;
  /** How to send requests. Default: the platform's `fetch`. */
  readonly fetch?: Fetch;
}

/** Signing in, and calls that carry the sign-in. */
export interface AuthClient<Router extends RouterWithAuth> {
  /**
   * Signs in. Whoever was signed in before is not any more, here and on the server.
   *
   * @throws {TRPCClientError} with `INVALID_CREDENTIALS`, `ACCOUNT_DISABLED`, `RATE_LIMITED`, `BUSY`, `UNAVAILABLE` or
   *   `BAD_REQUEST` in `error.data.reason` (see `failureOf`); without a reason when the server was not reached.
   * @throws {Error} with the name `AbortError`, when a later sign-in or sign-out overtook this one.
   */
  login(input: LoginInput): Promise<User>;
  /**
   * Makes an account, and signs it in.
   *
   * @throws {TRPCClientError} with `USERNAME_TAKEN`, `EMAIL_TAKEN`, `WEAK_PASSWORD`, `REGISTRATION_CLOSED`,
   *   `RATE_LIMITED`, `BUSY`, `UNAVAILABLE` or `BAD_REQUEST` in `error.data.reason`.
   * @throws {Error} with the name `AbortError`, as `login`.
   */
  register(input: RegisterInput): Promise<User>;
  /**
   * Signs out: here and in the tabs that share the sign-in at once, and on the server before it returns.
   *
   * @throws {TRPCClientError} when the server was not reached. Here the session is over all the same.
   */
  logout(): Promise<void>;
  /** Who is signed in at this moment. The same object until something changes. */
  readonly session: Session;
  /** The session that this client was made with: what a server rendered the page for, so that hydration finds the same. */
  readonly firstSession: Session;
  /**
   * The session once it is known: reads the storage, or asks the server, unless that is done. It is still `"starting"`
   * when that failed.
   */
  start(): Promise<Session>;
  /** Calls back at every transition of the session, until the function that it returns is called. */
  readonly subscribe: (listener: (event: SessionEvent) => void) => () => void;
  /** The application's typed client. Its calls carry the sign-in, and outlive an access token. */
  readonly trpc: TRPCClient<Router>;
  /** The same as a terminating link, for a chain of your own: `links: [loggerLink(), auth.link]`. */
  readonly link: TRPCLink<Router>;
  /** Stops listening to other tabs: for clients that come and go. */
  close(): void;
}

/**
 * Makes the client of a Countersign server. Make one, and keep it.
 *
 * @example
 * ```ts
 * const auth = createAuthClient<AppRouter>({ url: "https://app.example/trpc" });
 * await auth.login({ username: "alice", password });
 * const notes = await auth.trpc.notes.list.query();
 * ```
 */
export function createAuthClient<Router extends RouterWithAuth>(options: AuthClientOptions): AuthClient<Router> {
  const storage = options.storage ?? (isOwnOrigin(options.url) ? "cookie" : "memory");
  const firstSession = readFirstSession(options);
  const store = createSessionStore(firstSession);
  const withCookies = storage === "cookie";
  const { url, EventSource } = options;
  const fetch = fetchFor(options.fetch, withCookies);
  const transport: Transport = { url, transformer, fetch, withCookies, ...(EventSource && { EventSource }) };
  const keeper = createKeeper(storage, { transport, store });
  const stepUp = createStepUp(store, options.onStepUp);
  const link = createAuthLink<Router>({ transport, keeper, stepUp });
  void keeper.start();

  return {
    login: keeper.login,
    register: keeper.register,
    logout: keeper.logout,
    get session() {
      return store.current();
    },
    firstSession,
    start: keeper.start,
    subscribe: store.subscribe,
    trpc: createTRPCClient<Router>({ links: [link] }),
    link,
    close: keeper.close,
  };
}

function createKeeper(
  storage: NonNullable<AuthClientOptions["storage"]>,
  { transport, store }: { transport: Transport; store: SessionStore },
): Keeper {
  const server = createServer(transport);
  // Names of Expo's SecureStore may have no other characters.
  const name = `countersign_${transport.url.replace(/[^\w.-]+/g, "_")}`;
  if (storage === "cookie") return createCookieKeeper({ server, store, name });
  const place = storage === "memory" ? null : storage === "localStorage" ? localStorageOrNull() : storage;
  return createTokenKeeper({ server, store, storage: place, name });
}

function readFirstSession({ session }: AuthClientOptions): Session {
  if (session === undefined) return { status: "starting", error: null };
  if (session === null) return { status: "signed-out", reason: null };
  const { user, scopes, expiresAt } = session;
  return { status: "signed-in", user, scopes, expiresAt, isRefreshing: false };
}

/** Whether a page of this origin is what runs here. */
function isOwnOrigin(url: string): boolean {
  const { document, location } = globalThis;
  return document !== undefined && new URL(url, location.href).origin === location.origin;
}

/** Without it, as on a server or where the person forbids it, the sign-in lasts as long as the page. */
function localStorageOrNull(): TokenStorage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

/** A cookie is sent to another origin of the same site only where it is asked for. */
function fetchFor(given: Fetch | undefined, withCookies: boolean): Fetch {
  const send: Fetch = given ?? ((input, init) => fetch(input as RequestInfo, init as RequestInit));
  return withCookies ? (input, init) => send(input, { ...init, credentials: "include" } as typeof init) : send;
}
