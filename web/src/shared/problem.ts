/** Why a form did not do, as the page tells it. */
import { isAuthError } from "@countersign/client";
import type { Failure } from "@countersign/shared";

/** A refusal of the server, or that the server was not reached. */
export type Problem = Failure | { readonly reason: "OFFLINE" | "UNREACHABLE" };

/** What a call failed with. What is no refusal with a reason came from the way to the server, or from something else on it. */
export function problemIn(error: unknown): Problem {
  if (isAuthError(error)) return error.data;
  return { reason: navigator.onLine ? "UNREACHABLE" : "OFFLINE" };
}

/** How long to wait before it is worth another try, in seconds; `null` where that is not known. */
export function waitOf(problem: Problem | null): number | null {
  return problem !== null && "details" in problem && "retryAfter" in problem.details
    ? problem.details.retryAfter
    : null;
}
