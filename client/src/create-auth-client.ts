import type { RootRouter } from "@countersign/server";
import { transformer } from "@countersign/shared";
import type { LoginInput, RegisterInput, SignedIn, User } from "@countersign/shared/schemas";
import { createTRPCClient, httpLink, type TRPCClient, type TRPCLink } from "@trpc/client";
import type { AnyTRPCRouter } from "@trpc/server";
import { createAuthLink, type Fetch } from "./link.ts";
import { createRefresh } from "./refresh.ts";
import { createSessionStore, type Session } from "./session.ts";

/** An application's router, with Countersign's mounted as `auth`. */
export type RouterWithAuth = AnyTRPCRouter & { readonly _def: { readonly record: { readonly auth: object } } };

export interface AuthClientOptions {
  /** Where the server's tRPC is, as in `https://app.example/trpc`. */
  readonly url: string;
  /** How to send requests. Default: the platform's `fetch`. */
  readonly fetch?: Fetch;
}

/** Signing in, and calls that carry the sign-in. */
export interface AuthClient<Router extends RouterWithAuth> {
  /**
   * Signs in.
   *
   * @throws {TRPCClientError} with `INVALID_CREDENTIALS`, `ACCOUNT_DISABLED`, `RATE_LIMITED`, `BUSY`, `UNAVAILABLE` or
   *   `BAD_REQUEST` in `error.data.reason` (see `isAuthError`); without a reason when the server was not reached.
   */
  login(input: LoginInput): Promise<User>;
  /**
   * Makes an account, and signs it in.
   *
   * @throws {TRPCClientError} with `USERNAME_TAKEN`, `EMAIL_TAKEN`, `WEAK_PASSWORD`, `REGISTRATION_CLOSED`,
   *   `RATE_LIMITED`, `BUSY`, `UNAVAILABLE` or `BAD_REQUEST` in `error.data.reason`.
   */
  register(input: RegisterInput): Promise<User>;
  /**
   * Signs out: here at once, and on the server before it returns.
   *
   * @throws {TRPCClientError} when the server was not reached. Here the session is over all the same.
   */
  logout(): Promise<void>;
  /** Who is signed in at this moment. */
  readonly session: Session;
  /** Calls back at every change of the session, until the function that it returns is called. */
  subscribe(listener: (session: Session) => void): () => void;
  /** The application's typed client. Its calls carry the sign-in, and outlive an access token. */
  readonly trpc: TRPCClient<Router>;
  /** The same as a terminating link, for a chain of your own: `links: [loggerLink(), auth.link]`. */
  readonly link: TRPCLink<Router>;
}

/**
 * Makes the client of a Countersign server. Tokens are kept in memory.
 *
 * @example
 * ```ts
 * const auth = createAuthClient<AppRouter>({ url: "https://app.example/trpc" });
 * await auth.login({ username: "alice", password });
 * const notes = await auth.trpc.notes.list.query();
 * ```
 */
export function createAuthClient<Router extends RouterWithAuth>(options: AuthClientOptions): AuthClient<Router> {
  const transport = { url: options.url, transformer, ...(options.fetch && { fetch: options.fetch }) };
  const server = createTRPCClient<RootRouter>({ links: [httpLink(transport)] });
  const store = createSessionStore();
  const refresh = createRefresh(store, (refreshToken) => server.auth.refresh.mutate({ refreshToken }));
  const link = createAuthLink<Router>({ transport, store, refresh });

  function signIn(signedIn: SignedIn): User {
    store.signIn(signedIn);
    return signedIn.user;
  }

  return {
    login: async (input) => signIn(await server.auth.login.mutate(input)),
    register: async (input) => signIn(await server.auth.register.mutate(input)),
    async logout() {
      const tokens = store.tokens();
      if (tokens === null) return;
      store.signOut("SIGNED_OUT");
      await server.auth.logout.mutate({ refreshToken: tokens.refreshToken });
    },
    get session() {
      return store.current();
    },
    subscribe: store.subscribe,
    trpc: createTRPCClient<Router>({ links: [link] }),
    link,
  };
}
