/** A form that a browser can send by itself, and that goes without leaving the page once scripts are there. */
import { Trans, useLingui } from "@lingui/react/macro";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { useCountdown } from "../shared/use-countdown.ts";
import { useWaiting } from "../shared/use-waiting.ts";
import { type AuthFields, type FieldName, readFields } from "./fields.ts";
import styles from "./form.module.css";
import type { AuthPage } from "./page.ts";
import { type Problem, problemIn, waitOf } from "./problem.ts";
import { useProblemText } from "./problem-text.tsx";

/** What the fields of a form are given: what is wrong with each. */
export interface FieldState {
  readonly page: AuthPage;
  readonly errors: Readonly<Partial<Record<FieldName, string>>>;
  /** Changes whenever a form was sent: what is hidden then hides again. */
  readonly attempt: number;
}

/** @param props.send Does it; when that resolves, the person is signed in. */
export function AuthForm({
  page,
  submit,
  send,
  children,
}: {
  readonly page: AuthPage;
  readonly submit: string;
  readonly send: (fields: AuthFields) => Promise<unknown>;
  readonly children: (state: FieldState) => ReactNode;
}) {
  const { t } = useLingui();
  const [problem, setProblem] = useState<Problem | null>(page.failure);
  const [attempt, setAttempt] = useState(0);
  const [isPending, setPending] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const text = useProblemText(problem, page);
  const waiting = useWaiting(isPending);
  const left = useCountdown(problem, waitOf(problem) ?? 0);

  async function onSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (isPending) return;
    setPending(true);
    setAttempt(attempt + 1);
    // What is said again afterwards is new to a screen reader then.
    setProblem(null);
    try {
      await send(readFields(event.currentTarget));
      // It stays pending: the next page is on its way.
      location.assign(page.returnTo);
    } catch (error) {
      setProblem(problemIn(error));
      setPending(false);
    }
  }

  // Never for what the server has rendered: a page that has just come is read from its beginning.
  useEffect(() => {
    if (problem === null || problem === page.failure) return;
    const wrong = form.current?.querySelector<HTMLElement>('[aria-invalid="true"]');
    (wrong ?? form.current?.querySelector<HTMLElement>("[data-alert]"))?.focus();
  }, [problem, page.failure]);

  return (
    <form
      ref={form}
      className={styles.form}
      method="post"
      action={`/${page.name}`}
      onSubmit={(event) => void onSubmit(event)}
    >
      <div role="alert" data-alert tabIndex={-1} className={styles.alert}>
        {text.general !== null && <p>{text.general}</p>}
      </div>
      {left > 0 && (
        <p className={styles.countdown} aria-hidden="true">
          <Trans>You can try again in {left} s.</Trans>
        </p>
      )}
      <p role="status" className={styles.hidden}>
        {waitOf(problem) !== null && (left > 0 ? t`Wait a moment before you try again.` : t`You can try again now.`)}
      </p>
      <input type="hidden" name="return_to" value={page.returnTo} />
      {page.purpose !== null && <input type="hidden" name="purpose" value={page.purpose} />}
      {children({ page, errors: text.fields, attempt })}
      <button type="submit" className={styles.submit} aria-disabled={isPending}>
        {submit}
      </button>
      <p role="status" className={styles.waiting}>
        {waiting === "a moment" && t`One moment …`}
        {waiting === "some time" && t`It takes longer than usual. It is still under way.`}
        {waiting === "long" && t`There is still no answer. You can wait, or reload the page and try again.`}
      </p>
    </form>
  );
}
