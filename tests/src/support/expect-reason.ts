import { isAuthError } from "@countersign/client";
import type { Failure, Reason } from "@countersign/shared";
import { expect } from "vitest";

/** Expects a call to be refused, and returns the details of the refusal. */
export async function expectReason<R extends Reason>(
  call: Promise<unknown>,
  reason: R,
): Promise<Extract<Failure, { reason: R }>["details"]> {
  const error = await call.then(
    () => expect.fail(`expected ${reason}, but the call succeeded`),
    (error: unknown) => error,
  );
  const data = reasonOf(error);
  expect(data?.reason, String(error)).toBe(reason);
  return data?.details as Extract<Failure, { reason: R }>["details"];
}

/** A client's error carries the reason itself; a caller's error has it in its cause. */
function reasonOf(error: unknown): Failure | null {
  if (isAuthError(error)) return error.data;
  const cause = error instanceof Error ? error.cause : null;
  return isAuthError(cause) ? cause.data : null;
}
