import { isAuthError } from "@countersign/shared";
import type { SignedIn } from "@countersign/shared/schemas";
import { endingReasons, type SessionStore, type SignedOutReason, type Tokens } from "./session.ts";

/**
 * Makes the function that replaces an access token the server no longer takes. Of any number of calls that find their
 * token expired, one refreshes and all wait for it. A refusal ends the session and says why; a network failure ends
 * nothing, and the next call tries again.
 *
 * @param exchange Sends the refresh token to the server.
 */
export function createRefresh(
  store: SessionStore,
  exchange: (refreshToken: string) => Promise<SignedIn>,
): (used: Tokens) => Promise<void> {
  // By the tokens that are replaced: who signs in meanwhile must not wait for another's refresh, and take it for theirs.
  const refreshing = new WeakMap<Tokens, Promise<void>>();

  async function replace(used: Tokens): Promise<void> {
    try {
      const signedIn = await exchange(used.refreshToken);
      // Whoever signed out, or in as another, while the reply was under way meant what they did.
      if (store.tokens() === used) store.signIn(signedIn);
    } catch (error) {
      if (store.tokens() === used && isEnding(error)) store.signOut(error.data.reason);
      throw error;
    }
  }

  return async (used) => {
    // A call that was sent before the last refresh finds the new token already there.
    if (store.tokens() !== used) return;
    const running = refreshing.get(used) ?? replace(used).finally(() => refreshing.delete(used));
    refreshing.set(used, running);
    await running;
  };
}

/** Whether an error says that the session is over, whatever is tried next. */
function isEnding(
  error: unknown,
): error is Error & { readonly data: { readonly reason: Exclude<SignedOutReason, "SIGNED_OUT"> } } {
  return isAuthError(error) && endingReasons.some((reason) => reason === error.data.reason);
}
