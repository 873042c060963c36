/** The session as the client holds it: readable at any moment, and told of when it changes. */
import type { Reason } from "@countersign/shared";
import type { SignedIn, User } from "@countersign/shared/schemas";

/** Why nobody is signed in: the person asked for it, or the server's refusal. `null` when nobody has signed in yet. */
export type SignedOutReason = "SIGNED_OUT" | Extract<Reason, EndingReason>;

/** Refusals of a refresh after which no retry can help. */
export const endingReasons = [
  "TOKEN_INVALID",
  "TOKEN_EXPIRED",
  "SESSION_REVOKED",
  "SESSION_REUSED",
  "ACCOUNT_DISABLED",
] as const satisfies readonly Reason[];
type EndingReason = (typeof endingReasons)[number];

/** Who is signed in. A new object at every change, so that it can be compared by identity. */
export type Session =
  | { readonly status: "signed-out"; readonly reason: SignedOutReason | null }
  | {
      readonly status: "signed-in";
      readonly user: User;
      /** The scopes granted. */
      readonly scopes: readonly string[];
      /** When the access token expires, by the server's clock. */
      readonly expiresAt: Date;
    };

/** The secrets of a session, and whose they are. They stay inside the client. */
export type Tokens = Pick<SignedIn, "accessToken" | "refreshToken" | "user">;

export interface SessionStore {
  /** The session at this moment. */
  current(): Session;
  /** The tokens of the session; `null` when nobody is signed in. */
  tokens(): Tokens | null;
  signIn(signedIn: SignedIn): void;
  signOut(reason: SignedOutReason): void;
  /** Calls back at every change, until the function that it returns is called. */
  subscribe(listener: (session: Session) => void): () => void;
}

/** What a listener throws is the listener's: it must not turn a sign-in that worked into one that failed. */
function call(listener: (session: Session) => void, session: Session): void {
  try {
    listener(session);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

export function createSessionStore(): SessionStore {
  let session: Session = { status: "signed-out", reason: null };
  let tokens: Tokens | null = null;
  const listeners = new Set<(session: Session) => void>();

  function change(next: Session, nextTokens: Tokens | null): void {
    session = next;
    tokens = nextTokens;
    for (const listener of [...listeners]) call(listener, session);
  }

  return {
    current: () => session,
    tokens: () => tokens,
    signIn({ accessToken, refreshToken, user, scope, expiresAt }) {
      const scopes = scope === "" ? [] : scope.split(" ");
      change({ status: "signed-in", user, scopes, expiresAt }, { accessToken, refreshToken, user });
    },
    signOut(reason) {
      if (session.status === "signed-in") change({ status: "signed-out", reason }, null);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
