import { Trans, useLingui } from "@lingui/react/macro";
import styles from "./app.module.css";
import { AuthForm } from "./auth-form.tsx";
import { authClient } from "./client.ts";
import type { AuthPage } from "./page.ts";
import { PasswordField } from "./password-field.tsx";
import { pathOf } from "./paths.ts";
import { TextField } from "./text-field.tsx";

export function SignIn({ page }: { readonly page: AuthPage }) {
  const { t } = useLingui();
  const { username } = page;
  return (
    <>
      <h1>
        <Trans>Sign in</Trans>
      </h1>
      {username !== null && (
        <p className={styles.notice}>
          <Trans>
            You are signed in already.{" "}
            <a href={page.returnTo}>
              Continue as <bdi>{username}</bdi>
            </a>
          </Trans>
        </p>
      )}
      <AuthForm
        page={page}
        submit={t`Sign in`}
        send={({ username, password }) => authClient().login({ username, password })}
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
