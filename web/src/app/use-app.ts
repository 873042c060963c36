import { useLingui } from "@lingui/react/macro";
import { useRouteContext } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Problem } from "../shared/problem.ts";
import { general, type ProblemText, useProblemText } from "../shared/problem-text.ts";

/** What every page is given: the document's facts, and what the server is asked by. */
export function useApp() {
  const { page, client } = useRouteContext({ from: "__root__" });
  return { page, ...client };
}

/** Says problems as these pages do. */
export function useAppProblemText(): (problem: Problem) => ProblemText {
  const { t } = useLingui();
  const { page } = useApp();
  const describe = useProblemText(page);
  return (problem) => {
    if (problem.reason === "REGISTRATION_CLOSED")
      return general(t`Accounts are kept by the application. Change them there.`);
    if (problem.reason === "INSUFFICIENT_ROLE") return general(t`You may not do this any more.`);
    return describe(problem);
  };
}

/** How these pages write times, in the reader's zone and language. */
export function useTimes() {
  const { i18n } = useLingui();
  const { locale } = i18n;
  return useMemo(() => {
    const full = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
    const day = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
    return { full: (date: Date) => full.format(date), day: (date: Date) => day.format(date) };
  }, [locale]);
}
