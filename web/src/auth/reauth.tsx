import { Trans, useLingui } from "@lingui/react/macro";
import { nameWithin } from "../shared/name-within.tsx";
import { PasswordField } from "../shared/password-field.tsx";
import { AuthForm } from "./auth-form.tsx";
import { authProcedures } from "./client.ts";
import type { AuthPage } from "./page.ts";

/** Asks whoever is signed in for their password once more, before something that an open laptop must not be enough for. */
export function Reauth({ page }: { readonly page: AuthPage }) {
  const { t } = useLingui();
  const username = page.username ?? "";
  const name = nameWithin(username);
  return (
    <>
      <h1>
        <Trans>Confirm that it is you</Trans>
      </h1>
      <p>
        <Purpose purpose={page.purpose} /> <Trans>You are signed in as {name}.</Trans>
      </p>
      <AuthForm
        page={page}
        submit={t`Confirm`}
        send={(read) => authProcedures().login.mutate({ username, password: read("password") })}
      >
        {(state) => (
          <PasswordField label={t`Password`} autoComplete="current-password" username={username} state={state} />
        )}
      </AuthForm>
      <p>
        <a href={page.returnTo}>
          <Trans>Cancel</Trans>
        </a>
      </p>
    </>
  );
}

function Purpose({ purpose }: Pick<AuthPage, "purpose">) {
  switch (purpose) {
    case "profile":
      return <Trans>Before you change how you sign in, enter your password once more.</Trans>;
    case "deletion":
      return <Trans>Before you have your account deleted, enter your password once more.</Trans>;
    case "accounts":
      return <Trans>Before you change somebody’s account, enter your password once more.</Trans>;
    case "keys":
      return <Trans>Before you replace the keys of this server, enter your password once more.</Trans>;
    case null:
      return <Trans>Before you go on, enter your password once more.</Trans>;
  }
}
