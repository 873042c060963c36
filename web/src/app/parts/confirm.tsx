import { useLingui } from "@lingui/react/macro";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import button from "../../shared/button.module.css";
import { type Problem, problemIn } from "../../shared/problem.ts";
import { useAppProblemText } from "../use-app.ts";
import styles from "./confirm.module.css";

/** Long enough that what was meant for the page behind it presses nothing here. */
const liveAfterMs = 500;

/**
 * A button whose act is said in full before it is done. The dialog closes when it was done, and says why when it was not.
 *
 * @param props.label The act, in a word or two; `name` says of what, for whoever does not see what it stands beside.
 */
export function Confirm({
  label,
  name,
  title,
  children,
  act,
}: {
  readonly label: string;
  readonly name?: string;
  readonly title: string;
  readonly children: ReactNode;
  readonly act: () => Promise<unknown>;
}) {
  const { t } = useLingui();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const describe = useAppProblemText();
  const [isOpen, setOpen] = useState(false);
  const [isLive, setLive] = useState(false);
  const [isPending, setPending] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    if (!isOpen) return;
    dialog.current?.showModal();
    const timer = setTimeout(() => setLive(true), liveAfterMs);
    return () => clearTimeout(timer);
  }, [isOpen]);

  function close() {
    setOpen(false);
    setLive(false);
    setProblem(null);
  }

  async function confirm() {
    if (!isLive || isPending) return;
    setPending(true);
    setProblem(null);
    try {
      await act();
      dialog.current?.close();
    } catch (error) {
      setProblem(problemIn(error));
    } finally {
      setPending(false);
    }
  }

  return (
    <>
      <button type="button" className={button.quiet} aria-label={name} onClick={() => setOpen(true)}>
        {label}
      </button>
      {isOpen && (
        <dialog ref={dialog} className={styles.dialog} aria-labelledby={id} onClose={close}>
          <h2 id={id}>{title}</h2>
          {children}
          <div role="alert" className={styles.problem}>
            {problem !== null && describe(problem).general}
          </div>
          <div className={styles.buttons}>
            <button type="button" className={button.quiet} onClick={() => dialog.current?.close()}>
              {t`Cancel`}
            </button>
            <button
              type="button"
              className={button.danger}
              aria-disabled={!isLive || isPending}
              onClick={() => void confirm()}
            >
              {label}
            </button>
          </div>
        </dialog>
      )}
    </>
  );
}
