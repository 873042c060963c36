/** The state machine of a sign-in: readable at any moment, and told of at every transition. */
import type { Reason } from "@countersign/shared";
import type { User } from "@countersign/shared/schemas";

/** Refusals after which no retry can help: the session is over. */
export const endingReasons = [
  "TOKEN_INVALID",
  "TOKEN_EXPIRED",
  "SESSION_REVOKED",
  "SESSION_REUSED",
  "ACCOUNT_DISABLED",
] as const satisfies readonly Reason[];
export type EndingReason = (typeof endingReasons)[number];

/** Why nobody is signed in: the person asked for it, here or in another tab, or the server's refusal. */
export type SignedOutReason = "SIGNED_OUT" | EndingReason;

/** Nobody knows yet: the storage is being read, or the server asked. `error` is why the last try failed; the next call tries again. */
export interface StartingSession {
  readonly status: "starting";
  readonly error: unknown;
}

/** `reason` is `null` when nobody was signed in to begin with. */
export interface SignedOutSession {
  readonly status: "signed-out";
  readonly reason: SignedOutReason | null;
}

export interface SignedInSession {
  readonly status: "signed-in";
  readonly user: User;
  /** The scopes granted. */
  readonly scopes: readonly string[];
  /** Until when what is held is good, by the server's clock: the access token, or the session that a cookie names. */
  readonly expiresAt: Date;
  /** Whether a new access token is under way. Calls wait for it by themselves. */
  readonly isRefreshing: boolean;
}

/** Who is signed in. A new object at every transition, so that it can be compared by identity. */
export type Session = StartingSession | SignedOutSession | SignedInSession;

/**
 * A transition, with the session as it is from now on.
 *
 * - `signed-in`: somebody is, who was not before.
 * - `refreshing`, then `refreshed` or `refresh-failed` (no network; the next call tries again).
 * - `signed-out`: `session.reason` says why.
 * - `start-failed`: it could not be found out who is signed in; `session.error` says why.
 */
export type SessionEvent =
  | { readonly type: "signed-in" | "refreshing" | "refreshed" | "refresh-failed"; readonly session: SignedInSession }
  | { readonly type: "signed-out"; readonly session: SignedOutSession }
  | { readonly type: "start-failed"; readonly session: StartingSession };

export interface SessionStore {
  /** The session at this moment. */
  current(): Session;
  isStarting(): boolean;
  /** Somebody is signed in: a transition of its own, or a refresh of the same person's. */
  signIn(session: Pick<SignedInSession, "user" | "scopes" | "expiresAt">): void;
  /** Nobody is. Without a reason: because the person asked for it, if it was known that somebody was. */
  signOut(reason?: SignedOutReason): void;
  /** Makes any other transition. */
  move(event: SessionEvent): void;
  subscribe(listener: (event: SessionEvent) => void): () => void;
}

export function createSessionStore(): SessionStore {
  let session: Session = { status: "starting", error: null };
  const listeners = new Set<(event: SessionEvent) => void>();

  function move(event: SessionEvent): void {
    session = event.session;
    for (const listener of [...listeners]) {
      try {
        listener(event);
      } catch (error) {
        // It is the listener's: it must not turn a sign-in that worked into one that failed.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  return {
    current: () => session,
    move,
    isStarting: () => session.status === "starting",
    signIn({ user, scopes, expiresAt }) {
      const type = userIdIn(session) === user.id ? "refreshed" : "signed-in";
      move({ type, session: { status: "signed-in", user, scopes, expiresAt, isRefreshing: false } });
    },
    signOut(why) {
      if (session.status === "signed-out") return;
      const reason = why ?? (session.status === "starting" ? null : "SIGNED_OUT");
      move({ type: "signed-out", session: { status: "signed-out", reason } });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Whose session it is; `null` for nobody's. */
export function userIdIn(session: Session): string | null {
  return session.status === "signed-in" ? session.user.id : null;
}
