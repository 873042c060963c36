import { useLingui } from "@lingui/react/macro";
import { useEffect, useState } from "react";
import styles from "./form.module.css";

/** From 0, which is guessed at once, to 4. */
type Score = 0 | 1 | 2 | 3 | 4;

/** Long enough that it is not said at each letter. */
const pauseMs = 300;

/** How hard a password is to guess. What it takes to know that is loaded when there is something to judge. */
export function Strength({ password, username = "" }: { readonly password: string; readonly username?: string }) {
  const { t } = useLingui();
  const [score, setScore] = useState<Score | null>(null);
  useEffect(() => {
    if (password === "") {
      setScore(null);
      return;
    }
    let isOver = false;
    const timer = setTimeout(async () => {
      // A page that cannot load it does without: the server judges in any case.
      const estimate = await import("./estimate.ts").catch(() => null);
      if (!isOver && estimate !== null) setScore(estimate.scoreOf(password, username));
    }, pauseMs);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [password, username]);
  return (
    <div className={styles.strength} data-score={score}>
      {score !== null && <meter min={0} max={4} low={2} high={3} optimum={4} value={score} aria-hidden="true" />}
      <p role="status" className={styles.hint}>
        {score !== null && sentence(score)}
      </p>
    </div>
  );

  function sentence(score: Score): string {
    switch (score) {
      case 0:
        return t`A program guesses this at once.`;
      case 1:
        return t`Easy to guess.`;
      case 2:
        return t`Not hard to guess. A longer one is better.`;
      case 3:
        return t`Hard to guess.`;
      case 4:
        return t`Very hard to guess.`;
    }
  }
}
