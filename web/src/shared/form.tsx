/** A form that a browser can send by itself, and that goes without leaving the page once scripts are there. */
import { Trans, useLingui } from "@lingui/react/macro";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import styles from "./form.module.css";
import { type Problem, problemIn, waitOf } from "./problem.ts";
import type { ProblemText } from "./problem-text.ts";
import { useCountdown } from "./use-countdown.ts";
import { useWaiting } from "./use-waiting.ts";

/** What the fields of a form are given: what is wrong with each. */
export interface FieldState {
  readonly errors: ProblemText["fields"];
  /** Changes whenever a form was sent: what is hidden then hides again. */
  readonly attempt: number;
}

/** A field's text, as it is when the form is sent: what a password manager fills in tells no script. Empty where there is none. */
export type ReadField = (name: string) => string;

/** Where a browser sends it without scripts, and what goes along. */
export interface Fallback {
  readonly action: string;
  readonly hidden: Readonly<Record<string, string>>;
  readonly problem: Problem | null;
}

/**
 * @param props.send Does it. It stays under way when that resolves to `"leaving"`: the next page is coming.
 * @param props.done What is said when it was done, and the page stays.
 */
export function Form({
  submit,
  send,
  describe,
  done = null,
  fallback = null,
  children,
}: {
  readonly submit: string;
  readonly send: (read: ReadField) => Promise<"leaving" | "staying">;
  readonly describe: (problem: Problem) => ProblemText;
  readonly done?: string | null;
  readonly fallback?: Fallback | null;
  readonly children: (state: FieldState) => ReactNode;
}) {
  const { t } = useLingui();
  const [problem, setProblem] = useState<Problem | null>(fallback?.problem ?? null);
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState<"idle" | "pending" | "done">("idle");
  const form = useRef<HTMLFormElement>(null);
  const text = problem === null ? nothingWrong : describe(problem);
  const waiting = useWaiting(state === "pending");
  const left = useCountdown(problem, waitOf(problem) ?? 0);

  async function onSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (state === "pending") return;
    const data = new FormData(event.currentTarget);
    setState("pending");
    setAttempt(attempt + 1);
    // What is said again afterwards is new to a screen reader then.
    setProblem(null);
    try {
      const next = await send((name) => String(data.get(name) ?? ""));
      if (next === "staying") setState("done");
    } catch (error) {
      setProblem(problemIn(error));
      setState("idle");
    }
  }

  // Never for what the server has rendered: a page that has just come is read from its beginning.
  const rendered = useRef(problem);
  useEffect(() => {
    if (problem === null || problem === rendered.current) return;
    const wrong = form.current?.querySelector<HTMLElement>('[aria-invalid="true"]');
    (wrong ?? form.current?.querySelector<HTMLElement>("[data-alert]"))?.focus();
  }, [problem]);

  return (
    <form
      ref={form}
      className={styles.form}
      method="post"
      action={fallback?.action}
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
      {Object.entries(fallback?.hidden ?? {}).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      {children({ errors: text.fields, attempt })}
      <button type="submit" className={styles.submit} aria-disabled={state === "pending"}>
        {submit}
      </button>
      <p role="status" className={styles.waiting}>
        {state === "done" && done}
        {waiting === "a moment" && t`One moment …`}
        {waiting === "some time" && t`It takes longer than usual. It is still under way.`}
        {waiting === "long" && t`There is still no answer. You can wait, or reload the page and try again.`}
      </p>
    </form>
  );
}

const nothingWrong: ProblemText = { general: null, fields: {} };
