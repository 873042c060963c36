import { callerTransformer as transformer } from "@countersign/shared";
import type { CurrentSession, LoginInput, RegisterInput, User } from "@countersign/shared/schemas";
import { createTRPCClient, type TRPCClient, type TRPCLink } from "@trpc/client";
import type { AnyTRPCRouter } from "@trpc/server";
import { createCookieKeeper } from "./cookie-keeper.ts";
import type { Keeper } from "./keeper.ts";
import { createAuthLink, type Fetch, type Transport } from "./link.ts";
import { createServer } from "./server.ts";
import { createSessionStore, type Session, type SessionEvent, type SessionStore } from "./session.ts";
import type { StepUp, StepUpRequest } from "./step-up.ts";
import type { Subscriptions } from "./subscriptions.ts";
import type { createTokenKeeper } from "./token-keeper.ts";
import type { TokenStorage } from "./token-place.ts";

/** An application's router, with Countersign's mounted as `auth`, and with its transformer (`transformer` of the server). */
export type RouterWithAuth = AnyTRPCRouter & {
  readonly _def: {
    readonly record: { readonly auth: object };
    readonly _config: { readonly $types: { readonly transformer: true } };
  };
};

/** Where no router is named, nothing could be called: better said here than at the first call. */
type NamesRouter<Router> = RouterWithAuth extends Router
  ? { readonly url: "Name your router: createAuthClient<AppRouter>({ … })" }
  : unknown;

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
   * more, and its caller notices nothing. When it rejects, the call fails with `FRESH_LOGIN_REQUIRED`, whose `cause` is why.
   */
  readonly onStepUp?: (request: StepUpRequest) => Promise<unknown>;
  /** What subscribes: `subscriptions()` from `@countersign/client/subscriptions`. Default: nothing does. */
  readonly subscriptions?: Subscriptions;
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
  /** Stops listening to other tabs, for good: for clients that come and go. */
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
export function createAuthClient<Router extends RouterWithAuth>(
  options: AuthClientOptions & NamesRouter<Router>,
): AuthClient<Router> {
  const page = globalThis.document && location;
  // The same however it is spelled: tabs share a sign-in by it.
  const url = page ? new URL(options.url, page.href).href : options.url;
  const isCookie = options.session !== undefined || (page && new URL(url).origin === page.origin);
  const storage = options.storage ?? (isCookie ? "cookie" : "memory");
  const store = createSessionStore();
  if (options.session) store.signIn(options.session);
  else if (options.session === null) store.signOut();
  const firstSession = store.current();
  const fetch = fetchFor(options.fetch, storage === "cookie");
  const transport: Transport = { url, transformer, fetch };
  const keeper = createKeeper(storage, { transport, store });
  const stepUp = laterStepUp(store, options.onStepUp);
  const link = createAuthLink<Router>({ transport, keeper, store, stepUp, subscriptions: options.subscriptions });
  // On a server, which renders a page for a session that it knows, nothing is listened to.
  if (store.isStarting()) void keeper.start().then(keeper.listen);
  if (page) keeper.listen();

  return {
    login: keeper.login,
    register: keeper.register,
    logout: keeper.logout,
    get session() {
      return store.current();
    },
    firstSession,
    start: keeper.start,
    subscribe(listener) {
      keeper.listen();
      return store.subscribe(listener);
    },
    trpc: createTRPCClient<Router>({ links: [link] }),
    link,
    close: keeper.close,
  };
}

function createKeeper(
  storage: NonNullable<AuthClientOptions["storage"]>,
  { transport, store }: { transport: Transport; store: SessionStore },
): Keeper {
  if (storage === "cookie") return createCookieKeeper({ server: createServer(transport), store, url: transport.url });
  // Memory has nothing to begin with, so that is known at once.
  if (storage === "memory") store.signOut();
  return laterKeeper({ transport, store, storage });
}

/** A keeper that is loaded when it is first needed: pages that sign in by cookie do not carry it. */
function laterKeeper(options: Parameters<typeof createTokenKeeper>[0]): Keeper {
  const { store } = options;
  let keeper: Keeper | undefined;
  async function loaded(): Promise<Keeper> {
    const { createTokenKeeper } = await import("./token-keeper.ts");
    keeper ??= createTokenKeeper(options);
    return keeper;
  }
  return {
    async start() {
      try {
        return await (await loaded()).start();
      } catch (error) {
        // As after a deployment that took the old files away.
        if (store.isStarting()) store.move({ type: "start-failed", session: { status: "starting", error } });
        return store.current();
      }
    },
    take: () => keeper?.take() ?? loaded().then((keeper) => keeper.take()),
    mend: async (held, error) => (await loaded()).mend(held, error),
    login: async (input) => (await loaded()).login(input),
    register: async (input) => (await loaded()).register(input),
    logout: () => keeper?.logout() ?? loaded().then((keeper) => keeper.logout()),
    listen: () => keeper?.listen(),
    close: () => void (keeper ? keeper.close() : loaded().then((keeper) => keeper.close())),
  };
}

/** Loaded when it is first needed, too. */
function laterStepUp(store: SessionStore, ask: AuthClientOptions["onStepUp"]): StepUp | undefined {
  let stepUp: StepUp | undefined;
  return (
    ask &&
    (async (...call) => {
      const { createStepUp } = await import("./step-up.ts");
      stepUp ??= createStepUp(store, ask);
      return stepUp(...call);
    })
  );
}

/** A cookie is sent to another origin of the same site only where it is asked for. */
function fetchFor(given: Fetch | undefined, withCookies: boolean): Fetch {
  const credentials = withCookies && { credentials: "include" };
  return (input, init) => (given ?? (fetch as Fetch))(input, { ...init, ...credentials } as typeof init);
}
