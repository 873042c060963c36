import { useLingui } from "@lingui/react/macro";
import type { FieldState, ReadField } from "../shared/form.tsx";
import { NameFields } from "../shared/name-fields.tsx";
import { PasswordField } from "../shared/password-field.tsx";
import type { AuthPage } from "./page.ts";

/** What a new account is asked for. */
export function NewAccountFields({ page, state }: { readonly page: AuthPage; readonly state: FieldState }) {
  const { t } = useLingui();
  const { values, minPasswordLength } = page;
  return (
    <>
      <NameFields username={values.username} email={values.email} state={state} />
      <PasswordField
        label={t`Password`}
        hint={t`At least ${minPasswordLength} characters. A few words that belong to you alone are easy to remember and hard to guess.`}
        autoComplete="new-password"
        state={state}
      />
    </>
  );
}

/** What was typed into them. */
export function newAccount(read: ReadField): { username: string; password: string; email?: string } {
  const email = read("email");
  return { username: read("username"), password: read("password"), ...(email !== "" && { email }) };
}
