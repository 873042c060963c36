import { AuthError } from "@countersign/shared";

/** Asks a database that may be away. */
export type Breaker = <T>(ask: () => Promise<T>) => Promise<T>;

/**
 * While the database is away, one caller at a time finds out whether it is back, and the others are refused at once: a host
 * that does not answer would otherwise hold up every call that asks it.
 *
 * @throws {AuthError} `UNAVAILABLE`, and what `ask` throws.
 */
export function createBreaker(): Breaker {
  let isAway = false;
  let isAsking = false;
  return async (ask) => {
    if (isAway && isAsking) throw new AuthError("UNAVAILABLE", { retryAfter: 1 });
    isAsking = true;
    try {
      const answer = await ask();
      isAway = false;
      return answer;
    } catch (error) {
      isAway = error instanceof AuthError && error.reason === "UNAVAILABLE";
      throw error;
    } finally {
      isAsking = false;
    }
  };
}
