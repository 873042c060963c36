import type { Failure, ProcedurePath, ReasonsOf, RouterLike } from "@countersign/shared";

/** The name of a reason that was not declared. A type of its own, so that a `case` for each declared reason leaves it over. */
declare enum UndeclaredReason {
  Any = "any name",
}

/** A refusal for a reason that the procedure did not declare when the client was compiled, as a newer server's. */
export interface UndeclaredFailure {
  readonly reason: UndeclaredReason;
  readonly details: unknown;
}

/**
 * Reads from an error why a procedure refused a call; `null` when that is not what happened, as when the server was not
 * reached. A `switch` over the declared reasons leaves {@link UndeclaredFailure} over, and so is checked to be complete.
 *
 * @example
 * ```ts
 * try {
 *   await auth.login({ username, password });
 * } catch (error) {
 *   const failure = failureOf<AppRouter, "auth.login">(error);
 *   if (failure === null) throw error;
 *   switch (failure.reason) {
 *     case "INVALID_CREDENTIALS":
 *       return "The username or the password is wrong.";
 *     case "ACCOUNT_DISABLED":
 *       return "Ask an administrator to enable your account.";
 *     case "RATE_LIMITED":
 *     case "BUSY":
 *     case "UNAVAILABLE":
 *       return `Try again in ${failure.details.retryAfter} seconds.`;
 *     case "BAD_REQUEST":
 *       return failure.details.issues.map(({ message }) => message).join(" ");
 *     default:
 *       failure satisfies UndeclaredFailure;
 *       throw error;
 *   }
 * }
 * ```
 */
export function failureOf<Router extends RouterLike, Path extends ProcedurePath<Router>>(
  error: unknown,
): Failure<ReasonsOf<Router, Path>> | UndeclaredFailure | null;
export function failureOf(error: unknown): object | null {
  const data = error instanceof Error && "data" in error ? error.data : null;
  return typeof data === "object" && data !== null && "reason" in data && typeof data.reason === "string" ? data : null;
}
