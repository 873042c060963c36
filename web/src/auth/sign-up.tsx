import { Trans, useLingui } from "@lingui/react/macro";
import { AuthForm } from "./auth-form.tsx";
import { authProcedures } from "./client.ts";
import { NewAccountFields, newAccount } from "./new-account-fields.tsx";
import type { AuthPage } from "./page.ts";
import { pathOf } from "./paths.ts";

export function SignUp({ page }: { readonly page: AuthPage }) {
  const { t } = useLingui();
  return (
    <>
      <h1>
        <Trans>Sign up</Trans>
      </h1>
      {page.isRegistrationOpen ? (
        <AuthForm page={page} submit={t`Sign up`} send={(read) => authProcedures().register.mutate(newAccount(read))}>
          {(state) => <NewAccountFields page={page} state={state} />}
        </AuthForm>
      ) : (
        <p>
          <Trans>Nobody can sign up here by themselves. Ask an administrator for an account.</Trans>
        </p>
      )}
      <p>
        <Trans>
          Have an account? <a href={pathOf("sign-in", page.returnTo)}>Sign in</a>
        </Trans>
      </p>
    </>
  );
}
