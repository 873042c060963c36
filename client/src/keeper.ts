/** What keeps a sign-in: tokens in a storage, or a cookie that no script sees. The link and the client know only this. */
import type { Failure } from "@countersign/shared";
import type { LoginInput, RegisterInput, User } from "@countersign/shared/schemas";
import { type EndingReason, endingReasons, type Session } from "./session.ts";

/** What a call was sent with. Another object after every change. */
export interface Held {
  /** `null` where there is none to send: nobody is signed in, or a cookie goes by itself. */
  readonly accessToken: string | null;
  /** Whose call it is; `null` for nobody's. */
  readonly user: User | null;
}

/** What nobody's calls are sent with. */
export const nobody: Held = { accessToken: null, user: null };

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
  /** Listens to other tabs from now on. */
  listen(): void;
  close(): void;
}

/** What a sign-in rejects with that was overtaken. */
export function overtaken(): Error {
  return Object.assign(new Error("Overtaken by a later sign-in or sign-out."), { name: "AbortError" });
}

/** Why the server refused, if that is what an error says. Its reason may be one that this version does not know. */
export function failureIn(error: unknown): Failure | null {
  const { data } = (error ?? {}) as { readonly data?: Failure | { readonly reason?: null } };
  return data?.reason ? data : null;
}

/** Why a session is over, if an error says so, whatever is tried next. */
export function endingReasonIn(error: unknown): EndingReason | null {
  return endingReasons.find((ending) => ending === failureIn(error)?.reason) ?? null;
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
