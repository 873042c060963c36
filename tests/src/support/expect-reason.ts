import { isAuthError } from "@countersign/client";
import type { DetailsOf, Failure, Reason } from "@countersign/shared";
import { expect } from "vitest";

/** Expects a call to be refused, and returns the details of the refusal. */
export async function expectReason<R extends Reason>(call: Promise<unknown>, reason: R): Promise<DetailsOf<R>> {
  const error = await call.then(
    () => expect.fail(`expected ${reason}, but the call succeeded`),
    (error: unknown) => error,
  );
  const failure = failureIn(error);
  if (failure?.reason !== reason) expect.fail(`expected ${reason}, but got ${failure?.reason ?? String(error)}`);
  // The line above has made sure that these are the details of that reason.
  return failure.details as DetailsOf<R>;
}

/** A client's error carries the reason itself; a caller's error has it in its cause. */
function failureIn(error: unknown): Failure | null {
  if (isAuthError(error)) return error.data;
  const cause = error instanceof Error ? error.cause : null;
  return isAuthError(cause) ? cause.data : null;
}
