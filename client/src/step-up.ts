/** When a call needs a sign-in more recent than the last one: asks the person, and says whether to send it again. */
import type { Operation } from "@trpc/client";
import { failureIn, type Held } from "./keeper.ts";
import { type Session, type SessionStore, userIdIn } from "./session.ts";

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
 *   sent once more. Rejects when they would not: the call then fails with the refusal, whose `cause` is what it rejected
 *   with.
 */
export function createStepUp(store: SessionStore, ask: (request: StepUpRequest) => Promise<unknown>): StepUp {
  let asking: Promise<unknown> | undefined;
  const isStillOf = (user: Held["user"]) => userIdIn(store.current()) === user?.id;

  return async ({ path }, { user }, error) => {
    const failure = failureIn(error);
    if (failure?.reason !== "FRESH_LOGIN_REQUIRED" || !isStillOf(user)) return false;
    try {
      // One dialogue, however many calls need it.
      asking ??= ask({ path, maxAge: failure.details.maxAge, session: store.current() }).finally(() => {
        asking = undefined;
      });
      await asking;
    } catch (cause) {
      // The refusal is what the caller hears; a mistake in the dialogue must be found all the same.
      Object.assign(error as object, { cause });
      return false;
    }
    // Who signed in as another did not make this call.
    return isStillOf(user);
  };
}
