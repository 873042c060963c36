import { Trans, useLingui } from "@lingui/react/macro";
import { useEffect, useRef } from "react";
import { TextField } from "../shared/text-field.tsx";
import { AuthForm } from "./auth-form.tsx";
import { authProcedures } from "./client.ts";
import { NewAccountFields, newAccount } from "./new-account-fields.tsx";
import type { AuthPage } from "./page.ts";

/** The first account, which is an administrator's: of whoever has the code that the server printed. */
export function Setup({ page }: { readonly page: AuthPage }) {
  const { t } = useLingui();
  const fields = useRef<HTMLDivElement>(null);
  // The printed address has the code behind a "#", which no browser sends anywhere; it leaves the address at once.
  useEffect(() => {
    const code = new URLSearchParams(location.hash.slice(1)).get("code");
    const input = fields.current?.querySelector<HTMLInputElement>('input[name="code"]');
    if (code === null || !input) return;
    input.value = code;
    history.replaceState(null, "", location.pathname + location.search);
  }, []);
  return (
    <>
      <h1>
        <Trans>Set up this server</Trans>
      </h1>
      <p>
        <Trans>You make the first account. It is an administrator’s: it can see and change all others.</Trans>
      </p>
      <AuthForm
        page={page}
        submit={t`Make the account`}
        send={(read) => authProcedures().setUp.mutate({ ...newAccount(read), code: read("code") })}
      >
        {(state) => (
          <div ref={fields}>
            <TextField
              name="code"
              label={t`Code`}
              hint={t`The server printed it when it started.`}
              autoComplete="off"
              required
              state={state}
            />
            <NewAccountFields page={page} state={state} />
          </div>
        )}
      </AuthForm>
    </>
  );
}
