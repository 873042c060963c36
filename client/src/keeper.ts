/** What keeps a sign-in: tokens in a storage, or a cookie that no script sees. The link and the client know only this. */
import { isAuthError } from "@countersign/shared";
import type { LoginInput, RegisterInput, User } from "@countersign/shared/schemas";
import { type EndingReason, endingReasons, type Session } from "./session.ts";

/** What a call was sent with. Another object after every change. */
export interface Held {
  /** `null` where there is none to send: nobody is signed in, or a cookie goes by itself. */
  readonly accessToken: string | null;
  /** Whose call it is; `null` for nobody's. */
  readonly userId: string | null;
}

export interface Keeper {
  /** Finds out who is signed in. Does so once; after a failure, once more at each call. Never throws. */
  start(): Promise<Session>;
  /** What to send the next call with: at once, or after the start, or after a refresh that is due. */
  take(): Held | Promise<Held>;
  /**
   * Learns from a refusal, and says whether the call may be sent once more.
   *
   * @throws the refusal of the refresh, when that is why it may not.
   */
  mend(held: Held, error: unknown): Promise<boolean>;
  login(input: LoginInput): Promise<User>;
  register(input: RegisterInput): Promise<User>;
  logout(): Promise<void>;
  close(): void;
}

/** Tells the latest of several sign-ins and sign-outs from those that it overtook. */
export function createIntents() {
  let latest = 0;

  /** The function that it returns tells whether one has begun since. */
  function watch(): () => boolean {
    const seen = latest;
    return () => seen !== latest;
  }

  return {
    watch,
    /** Begins one, and watches for the next. */
    begin(): () => boolean {
      latest += 1;
      return watch();
    },
  };
}

/** What a sign-in rejects with that was overtaken. */
export function overtaken(): Error {
  const error = new Error("Another sign-in, or a sign-out, came after this one.");
  error.name = "AbortError";
  return error;
}

/** Why a session is over, if an error says so, whatever is tried next. */
export function endingReasonIn(error: unknown): EndingReason | null {
  if (!isAuthError(error)) return null;
  const { reason } = error.data;
  return endingReasons.find((ending) => ending === reason) ?? null;
}

/** Runs `work` for all who ask while it runs, and anew for who asks later. */
export function shared<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
}
