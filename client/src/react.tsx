/** React's view of a sign-in. */
import { createContext, Fragment, type ReactNode, useContext, useEffect, useSyncExternalStore } from "react";
import type { AuthClient, RouterWithAuth } from "./create-auth-client.ts";
import { type Session, type SessionEvent, userIdIn } from "./session.ts";

const AuthContext = createContext<AuthClient<RouterWithAuth> | null>(null);

/** What is read of a TanStack Query client. */
export interface Clearable {
  clear(): void;
}

export interface AuthProviderProps<Router extends RouterWithAuth> {
  readonly client: AuthClient<Router>;
  /** Emptied as soon as nobody, or somebody else, is signed in: nobody sees what another has loaded. */
  readonly queryClient?: Clearable;
  readonly children?: ReactNode;
}

/**
 * Makes a client known to the components below.
 *
 * @example
 * ```tsx
 * <QueryClientProvider client={queryClient}>
 *   <AuthProvider client={auth} queryClient={queryClient}>
 *     <SignedIn><Notes /></SignedIn>
 *     <SignedOut><LoginForm /></SignedOut>
 *   </AuthProvider>
 * </QueryClientProvider>
 * ```
 */
export function AuthProvider<Router extends RouterWithAuth>(props: AuthProviderProps<Router>): ReactNode {
  const { client, queryClient, children } = props;
  useEffect(() => queryClient && clearForOthers(client, queryClient), [client, queryClient]);
  // Components below ask for it with the router that they know it has.
  return (
    <AuthContext.Provider value={client as unknown as AuthClient<RouterWithAuth>}>{children}</AuthContext.Provider>
  );
}

/**
 * The client of the nearest `AuthProvider`.
 *
 * @throws {Error} outside of one.
 */
export function useAuth<Router extends RouterWithAuth>(): AuthClient<Router> {
  const client = useContext(AuthContext);
  if (client === null) throw new Error("useAuth: there is no <AuthProvider> above this component.");
  // Only the caller knows with which router the provider's client was made; a context cannot say it.
  return client as unknown as AuthClient<Router>;
}

/** Who is signed in. The component is rendered anew at every transition. */
export function useSession(): Session {
  const client = useAuth();
  return useSyncExternalStore(
    client.subscribe,
    () => client.session,
    () => client.firstSession,
  );
}

/** Shows its children to whoever is signed in, each person's anew: nothing of one stays for the next. */
export function SignedIn({ children }: { readonly children?: ReactNode }): ReactNode {
  const session = useSession();
  return session.status === "signed-in" ? <Fragment key={session.user.id}>{children}</Fragment> : null;
}

/** Shows its children while nobody is signed in; nothing before that is known. */
export function SignedOut({ children }: { readonly children?: ReactNode }): ReactNode {
  return useSession().status === "signed-out" ? children : null;
}

function clearForOthers(
  client: Pick<AuthClient<RouterWithAuth>, "session" | "firstSession" | "subscribe">,
  cache: Clearable,
) {
  // What was loaded, or came with the page, before this began to listen.
  let userId = userIdIn(client.firstSession);
  const follow = ({ session }: Pick<SessionEvent, "session">) => {
    const nextId = userIdIn(session);
    if (userId !== null && nextId !== userId) cache.clear();
    userId = nextId;
  };
  follow(client);
  return client.subscribe(follow);
}
