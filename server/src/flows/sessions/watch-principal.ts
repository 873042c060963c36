import { AuthError, type Principal } from "@countersign/shared";
import { goodUntil } from "../../crypto/access-token.ts";
import type { Deps } from "../../deps.ts";

/** Whether what a principal proved is still so, and a call back when it is not. */
export interface Watch {
  /** Why it is over; `null` while it is not. Look-ups in memory. */
  objection(): AuthError | null;
  /** Calls back when it is over, perhaps more than once, until the function that it returns is called. */
  onEnd(listener: (why: AuthError) => void): () => void;
}

/**
 * Watches over a principal for a call that outlives the moment it was resolved in. What ends it: the token's `exp`
 * (noticed within a second, when nothing else happens), the session's revocation and the account's changes, when this
 * node's feed learns of them, a key that was compromised, and the end of the feed itself.
 *
 * @param options.verifyAgain Proves the principal anew.
 * @param options.needsCertainty Whether a stale feed ends it, whatever `onStoreDown` says.
 */
export function watchPrincipal(
  { now, feed, settings }: Pick<Deps, "now" | "feed" | "settings">,
  principal: Principal,
  { verifyAgain, needsCertainty }: { verifyAgain: () => Promise<unknown>; needsCertainty: boolean },
): Watch {
  const { clockToleranceSeconds, accessTtlSeconds: maxAgeSeconds } = settings;
  const endsAt = goodUntil(principal, { clockToleranceSeconds, maxAgeSeconds });
  const isOpen = settings.onStoreDown === "open" && !needsCertainty;

  function objection(): AuthError | null {
    if (now() >= endsAt) return new AuthError("TOKEN_EXPIRED");
    const reason = feed.objectionTo(principal);
    if (reason !== null) return new AuthError(reason);
    // No row is asked here: every subscription at once would ask a database in trouble. A caller who comes again is
    // checked against the rows, as at every call.
    if (!feed.isFollowed() || (feed.isStale() && !isOpen)) return new AuthError("UNAVAILABLE", { retryAfter: 1 });
    return null;
  }

  return {
    objection,
    onEnd: (listener) =>
      feed.onChange(({ keysChanged }) => {
        const why = objection();
        if (why !== null) listener(why);
        else if (keysChanged) verifyAgain().catch((error: unknown) => listener(refusalOf(error)));
      }),
  };
}

function refusalOf(error: unknown): AuthError {
  return error instanceof AuthError
    ? error
    : Object.assign(new AuthError("UNAVAILABLE", { retryAfter: 1 }), { cause: error });
}
