/** A form of the auth pages: without scripts it is sent to the address of its page, and with them it is the same. */
import { useLingui } from "@lingui/react/macro";
import type { ReactNode } from "react";
import { type FieldState, Form, type ReadField } from "../shared/form.tsx";
import type { Problem } from "../shared/problem.ts";
import { atField, general, type ProblemText, useProblemText } from "../shared/problem-text.ts";
import type { AuthPage } from "./page.ts";

/** @param props.send Does it; when that resolves, the person is signed in. */
export function AuthForm({
  page,
  submit,
  send,
  children,
}: {
  readonly page: AuthPage;
  readonly submit: string;
  readonly send: (read: ReadField) => Promise<unknown>;
  readonly children: (state: FieldState) => ReactNode;
}) {
  const { name, returnTo, purpose, failure } = page;
  return (
    <Form
      submit={submit}
      describe={useAuthProblemText(page)}
      fallback={{
        action: `/${name}`,
        hidden: { return_to: returnTo, ...(purpose !== null && { purpose }) },
        problem: failure,
      }}
      send={async (read) => {
        await send(read);
        location.assign(returnTo);
        return "leaving";
      }}
    >
      {children}
    </Form>
  );
}

/** Where a page has more to say of a problem than every page has. */
function useAuthProblemText({ name, minPasswordLength }: AuthPage): (problem: Problem) => ProblemText {
  const { t } = useLingui();
  const describe = useProblemText({ minPasswordLength });
  return (problem) => own(problem) ?? describe(problem);

  function own(problem: Problem): ProblemText | null {
    const { reason } = problem;
    if (name === "setup") {
      if (reason === "INVALID_CREDENTIALS")
        return atField("code", t`This is another code than the server printed when it started.`);
      if (reason === "REGISTRATION_CLOSED")
        return general(t`This server is set up already: there is an account. Sign in with it.`);
    }
    if (name === "reauth") {
      if (reason === "INVALID_CREDENTIALS")
        return atField("password", t`This is not your password. Check it, and try again.`);
      if (reason === "TOKEN_MISSING" || reason === "SESSION_REVOKED")
        return general(t`You are not signed in any more. Reload the page, and sign in again.`);
    }
    if (name === "sign-in" && reason === "BAD_REQUEST") {
      const text = describe(problem);
      if (text.fields.username === undefined) return text;
      return { ...text, fields: { ...text.fields, username: t`Enter your username or your e-mail address.` } };
    }
    return null;
  }
}
