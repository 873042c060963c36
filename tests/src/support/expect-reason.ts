import { isAuthError } from "@countersign/client";
import type { Failure, Reason } from "@countersign/shared";
import { expect } from "vitest";

type FailureFor<R extends Reason> = Extract<Failure, { reason: R }>;

/** Expects a call to be refused, and returns the details of the refusal. */
export async function expectReason<R extends Reason>(
  call: Promise<unknown>,
  reason: R,
): Promise<FailureFor<R>["details"]> {
  const error = await call.then(
    () => expect.fail(`expected ${reason}, but the call succeeded`),
    (error: unknown) => error,
  );
  const failure = failureIn(error);
  if (failure === null || !isFor(failure, reason)) {
    expect.fail(`expected ${reason}, but got ${failure?.reason ?? String(error)}`);
  }
  return failure.details;
}

function isFor<R extends Reason>(failure: Failure, reason: R): failure is FailureFor<R> {
  return failure.reason === reason;
}

/** A client's error carries the reason itself; a caller's error has it in its cause. */
function failureIn(error: unknown): Failure | null {
  if (isAuthError(error)) return error.data;
  const cause = error instanceof Error ? error.cause : null;
  return isAuthError(cause) ? cause.data : null;
}
