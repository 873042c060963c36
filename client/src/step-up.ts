/** When a call needs a sign-in more recent than the last one: asks the person, and says whether to send it again. */
import { isAuthError } from "@countersign/shared";
import type { Operation } from "@trpc/client";
import type { Held } from "./keeper.ts";
import type { Session, SessionStore } from "./session.ts";

/** What a call needs. */
export interface StepUpRequest {
  /** The procedure that was called, as in `"auth.changePassword"`. */
  readonly path: string;
  /** The greatest age of the sign-in, in seconds, that it accepts. */
  readonly maxAge: number;
  readonly session: Session;
}

export type StepUp = (op: Operation, held: Held, error: unknown) => Promise<boolean>;

/**
 * @param ask Shows a dialogue, say, and resolves when the person has signed in again (`auth.login`). The call is then
 *   sent once more. Rejects when they would not: the call then fails with the refusal.
 */
export function createStepUp(
  store: SessionStore,
  ask: ((request: StepUpRequest) => Promise<unknown>) | undefined,
): StepUp {
  let asking: Promise<unknown> | undefined;

  return async ({ path }, { userId }, error) => {
    if (ask === undefined || !isAuthError(error) || error.data.reason !== "FRESH_LOGIN_REQUIRED") return false;
    // One dialogue, however many calls need it.
    asking ??= ask({ path, maxAge: error.data.details.maxAge, session: store.current() }).finally(() => {
      asking = undefined;
    });
    const agreed = await asking.then(
      () => true,
      () => false,
    );
    const session = store.current();
    // Who signed in as another did not make this call.
    return agreed && session.status === "signed-in" && session.user.id === userId;
  };
}
