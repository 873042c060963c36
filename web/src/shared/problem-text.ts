import type { PasswordRule } from "@countersign/shared";
import { useLingui } from "@lingui/react/macro";
import type { Problem } from "./problem.ts";

/** What is said, and where: above the form, or at a field. */
export interface ProblemText {
  readonly general: string | null;
  readonly fields: Readonly<Partial<Record<string, string>>>;
}

export const general = (text: string): ProblemText => ({ general: text, fields: {} });
export const atField = (field: string, text: string): ProblemText => ({ general: null, fields: { [field]: text } });

/** Says problems in the language of the page, and in words of ours: those of the rules that were broken are for developers. */
export function useProblemText({
  minPasswordLength,
}: {
  readonly minPasswordLength: number;
}): (problem: Problem) => ProblemText {
  const { t } = useLingui();

  return function describe(problem) {
    switch (problem.reason) {
      case "INVALID_CREDENTIALS":
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
        return general(t`Nobody can sign up here by themselves. Ask an administrator for an account.`);
      case "USERNAME_TAKEN":
        return atField("username", t`This username is taken. Choose another.`);
      case "EMAIL_TAKEN":
        return atField("email", t`There is an account with this e-mail address. Sign in instead.`);
      case "WEAK_PASSWORD":
        return atField(problem.details.field, weaknessText(problem.details.rule));
      case "LAST_ADMIN":
        return general(t`This is the last account that administers this server. Give the role to another one first.`);
      case "BAD_REQUEST":
        return inputText(problem.details.issues);
      case "NOT_FOUND":
        return general(t`It is not there any more. Reload the page.`);
      case "TOKEN_MISSING":
      case "TOKEN_INVALID":
      case "TOKEN_EXPIRED":
      case "SESSION_REVOKED":
      case "SESSION_REUSED":
      case "INSUFFICIENT_SCOPE":
      case "INSUFFICIENT_ROLE":
      case "FRESH_LOGIN_REQUIRED":
        return general(t`That did not work. Reload the page, and try again.`);
    }
  };

  function weaknessText(rule: PasswordRule): string {
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

  function inputText(issues: Extract<Problem, { reason: "BAD_REQUEST" }>["details"]["issues"]): ProblemText {
    const passwordText = t`Enter a password of at most 1,024 characters.`;
    const texts: Readonly<Record<string, string>> = {
      username: t`Use 2 to 64 letters and digits, with “.”, “_” and “-” between them.`,
      email: t`This is not an e-mail address, as in name@example.com.`,
      password: passwordText,
      currentPassword: passwordText,
      newPassword: passwordText,
      code: t`Enter the code that the server printed when it started.`,
    };
    const wrong = issues.flatMap(({ path: [name] }) =>
      typeof name === "string" && Object.hasOwn(texts, name) ? [[name, texts[name]] as const] : [],
    );
    return wrong.length > 0
      ? { general: null, fields: Object.fromEntries(wrong) }
      : general(t`The form could not be read. Reload the page, and try again.`);
  }
}
