import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Form } from "../../shared/form.tsx";
import { TextField } from "../../shared/text-field.tsx";
import { confirmRecent } from "../confirm-recent.ts";
import { keepDraft, takeDraft } from "../draft.ts";
import { Loaded } from "../parts/loading.tsx";
import styles from "../parts/page.module.css";
import { Title } from "../parts/title.tsx";
import { useApp, useAppProblemText } from "../use-app.ts";

/** What a person signs in with. */
export function Profile() {
  const { t } = useLingui();
  const { trpc, auth, queryClient } = useApp();
  const account = useQuery(trpc.account.get.queryOptions());
  const describe = useAppProblemText();
  const [draft] = useState(takeDraft);
  return (
    <>
      <Title text={t`Your username and e-mail address`} />
      <Loaded query={account}>
        {({ username, email, editable }) =>
          editable ? (
            <div className={styles.narrow}>
              <Form
                submit={t`Save`}
                done={t`It is saved.`}
                describe={describe}
                send={async (read) => {
                  const fields = { username: read("username"), email: read("email") };
                  const changed = await confirmRecent(
                    "profile",
                    () =>
                      auth.trpc.account.update.mutate({
                        username: fields.username,
                        email: fields.email === "" ? null : fields.email,
                      }),
                    () => keepDraft(fields),
                  );
                  queryClient.setQueryData(trpc.account.get.queryKey(), changed);
                  return "staying";
                }}
              >
                {(state) => (
                  <>
                    <TextField
                      name="username"
                      label={t`Username`}
                      autoComplete="username"
                      required
                      defaultValue={draft.username ?? username}
                      state={state}
                    />
                    <TextField
                      name="email"
                      type="email"
                      label={t`E-mail address (may be left out)`}
                      autoComplete="email"
                      defaultValue={draft.email ?? email ?? ""}
                      state={state}
                    />
                  </>
                )}
              </Form>
            </div>
          ) : (
            <p>
              <Trans>Accounts are kept by the application. Change them there.</Trans>
            </p>
          )
        }
      </Loaded>
      <p>
        <Link to="/account">
          <Trans>Back to your account</Trans>
        </Link>
      </p>
    </>
  );
}
