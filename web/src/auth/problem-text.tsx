/** What the reasons mean to a person: a sentence each, with what to do next. */
import { useLingui } from "@lingui/react/macro";
import type { FieldName } from "./fields.ts";
import type { AuthPage } from "./page.ts";
import type { Problem } from "./problem.ts";

/** What is said, and where: above the form, or at a field. */
export interface ProblemText {
  readonly general: string | null;
  readonly fields: Readonly<Partial<Record<FieldName, string>>>;
}

const nothing: ProblemText = { general: null, fields: {} };

/** The sentences of a problem, in the language of the page. */
export function useProblemText(problem: Problem | null, { name, minPasswordLength }: AuthPage): ProblemText {
  const { t } = useLingui();
  if (problem === null) return nothing;
  const general = (text: string): ProblemText => ({ general: text, fields: {} });
  const at = (field: FieldName, text: string): ProblemText => ({ general: null, fields: { [field]: text } });
  switch (problem.reason) {
    case "INVALID_CREDENTIALS":
      if (name === "setup") return at("code", t`This is another code than the server printed when it started.`);
      if (name === "reauth") return at("password", t`This is not your password. Check it, and try again.`);
      return general(t`The username or the password is wrong. Check both, and try again.`);
    case "ACCOUNT_DISABLED":
      return general(t`This account is disabled. Ask an administrator to enable it.`);
    case "RATE_LIMITED":
      return general(t`There were too many attempts.`);
    case "BUSY":
      return general(t`Too many people are signing in at this moment.`);
    case "UNAVAILABLE":
      return general(t`The server cannot reach its database. It is not about your password.`);
    case "OFFLINE":
      return general(t`You are offline. Nothing was sent: connect to a network, and try again.`);
    case "UNREACHABLE":
      return general(t`The server did not answer. It is not about your password: try again in a moment.`);
    case "ORIGIN_NOT_ALLOWED":
      return general(t`This page is out of date or was opened by another website. Reload it, and try again.`);
    case "REGISTRATION_CLOSED":
      return general(
        name === "setup"
          ? t`This server is set up already: there is an account. Sign in with it.`
          : t`Nobody can sign up here by themselves. Ask an administrator for an account.`,
      );
    case "USERNAME_TAKEN":
      return at("username", t`This username is taken. Choose another.`);
    case "EMAIL_TAKEN":
      return at("email", t`There is an account with this e-mail address. Sign in instead.`);
    case "WEAK_PASSWORD":
      return at("password", weaknessText(problem.details.rule));
    case "BAD_REQUEST":
      return inputText(problem.details.issues);
    case "SESSION_REVOKED":
    case "TOKEN_MISSING":
      if (name === "reauth") return general(t`You are not signed in any more. Reload the page, and sign in again.`);
      return general(t`That did not work. Reload the page, and try again.`);
    case "TOKEN_INVALID":
    case "TOKEN_EXPIRED":
    case "SESSION_REUSED":
    case "INSUFFICIENT_SCOPE":
    case "INSUFFICIENT_ROLE":
    case "FRESH_LOGIN_REQUIRED":
    case "LAST_ADMIN":
    case "NOT_FOUND":
      return general(t`That did not work. Reload the page, and try again.`);
  }

  function weaknessText(rule: Extract<Problem, { reason: "WEAK_PASSWORD" }>["details"]["rule"]): string {
    switch (rule) {
      case "too_short":
        return t`This password is too short: it needs at least ${minPasswordLength} characters.`;
      case "too_common":
        return t`This password is on the lists that attackers try first. Choose one that nobody else has.`;
      case "is_username":
        return t`The password must not be the username.`;
      case "is_product_name":
        return t`The password must not be the name of this product.`;
    }
  }

  /** In words of ours, and not of the rule that was broken: those are for developers. */
  function inputText(issues: Extract<Problem, { reason: "BAD_REQUEST" }>["details"]["issues"]): ProblemText {
    const fields: Partial<Record<FieldName, string>> = {};
    for (const { path } of issues) {
      if (path[0] === "username")
        fields.username =
          name === "sign-in"
            ? t`Enter your username or your e-mail address.`
            : t`Use 2 to 64 letters and digits, with “.”, “_” and “-” between them.`;
      if (path[0] === "email") fields.email = t`This is not an e-mail address, as in name@example.com.`;
      if (path[0] === "password") fields.password = t`Enter a password of at most 1,024 characters.`;
      if (path[0] === "code") fields.code = t`Enter the code that the server printed when it started.`;
    }
    return Object.keys(fields).length > 0
      ? { general: null, fields }
      : general(t`The form could not be read. Reload the page, and try again.`);
  }
}
