import { useAuth, useSession } from "@countersign/client/react";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { currentQuestion, type Question, subscribe } from "./step-up.ts";
import { TextField } from "./text-field.tsx";
import { useSubmit } from "./use-submit.ts";

/** Asks for the password when a call needs a recent sign-in. */
export function StepUpDialog() {
  const session = useSession();
  const question = useSyncExternalStore(subscribe, currentQuestion);
  if (question === null || session.status !== "signed-in") return null;
  return <Dialog question={question} username={session.user.username} />;
}

function Dialog({ question, username }: { readonly question: Question; readonly username: string }) {
  const auth = useAuth();
  const dialog = useRef<HTMLDialogElement>(null);
  const { isSending, refusal, onSubmit } = useSubmit(async (fields) => {
    await auth.login({ username, password: String(fields.get("password")) });
    question.answer();
  });

  useEffect(() => dialog.current?.showModal(), []);
  // Whoever signs out meanwhile, here or in another tab, has answered too.
  useEffect(
    () =>
      auth.subscribe(({ type }) => {
        if (type === "signed-out") question.refuse();
      }),
    [auth, question],
  );

  return (
    <dialog ref={dialog} aria-labelledby="step-up" onCancel={question.refuse}>
      <form onSubmit={onSubmit} noValidate>
        <h2 id="step-up">Is it you, {username}?</h2>
        <p>This needs your password once more.</p>
        <p role="alert" tabIndex={-1}>
          {refusal.form}
        </p>
        {/* For password managers: whose password it is. */}
        <input hidden readOnly autoComplete="username" value={username} />
        <TextField name="password" label="Password" type="password" autoComplete="current-password" refusal={refusal} />
        <button type="submit" aria-disabled={isSending}>
          Confirm
        </button>
        <button type="button" onClick={question.refuse}>
          Cancel
        </button>
      </form>
    </dialog>
  );
}
