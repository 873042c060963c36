import { Trans, useLingui } from "@lingui/react/macro";
import { nameWithin } from "../shared/name-within.tsx";
import { PasswordField } from "../shared/password-field.tsx";
import { TextField } from "../shared/text-field.tsx";
import styles from "./app.module.css";
import { AuthForm } from "./auth-form.tsx";
import { authProcedures } from "./client.ts";
import type { AuthPage } from "./page.ts";
import { pathOf } from "./paths.ts";

export function SignIn({ page }: { readonly page: AuthPage }) {
  const { t } = useLingui();
  const { username } = page;
  const name = nameWithin(username ?? "");
  return (
    <>
      <h1>
        <Trans>Sign in</Trans>
      </h1>
      {username !== null && (
        <p className={styles.notice}>
          <Trans>
            You are signed in already. <a href={page.returnTo}>Continue as {name}</a>
          </Trans>
        </p>
      )}
      <AuthForm
        page={page}
        submit={t`Sign in`}
        send={(read) => authProcedures().login.mutate({ username: read("username"), password: read("password") })}
      >
        {(state) => (
          <>
            <TextField
              name="username"
              label={t`Username or e-mail address`}
              autoComplete="username"
              required
              defaultValue={page.values.username}
              state={state}
            />
            <PasswordField label={t`Password`} autoComplete="current-password" state={state} />
          </>
        )}
      </AuthForm>
      {page.isRegistrationOpen && (
        <p>
          <Trans>
            No account yet? <a href={pathOf("sign-up", page.returnTo)}>Sign up</a>
          </Trans>
        </p>
      )}
    </>
  );
}
