/** Between the client, which asks for a new sign-in from outside of React, and the dialogue, which shows the question. */

/** A call that waits for its caller to sign in again. */
export interface Question {
  /** The call goes on. */
  readonly answer: () => void;
  /** The call fails with `FRESH_LOGIN_REQUIRED`. */
  readonly refuse: () => void;
}

let question: Question | null = null;
const listeners = new Set<() => void>();

/** What `createAuthClient` calls; settles when the person has answered. */
export function askForPassword(): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    show({ answer: resolve, refuse: reject });
  }).finally(() => show(null));
}

function show(next: Question | null): void {
  question = next;
  for (const listener of listeners) listener();
}

export const currentQuestion = () => question;

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
