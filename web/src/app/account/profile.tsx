import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Form } from "../../shared/form.tsx";
import { NameFields } from "../../shared/name-fields.tsx";
import { confirmRecent } from "../confirm-recent.ts";
import { keepDraft, takeDraft } from "../draft.ts";
import { Loaded } from "../parts/loading.tsx";
import styles from "../parts/page.module.css";
import { Title } from "../parts/title.tsx";
import { useApp, useAppProblemText } from "../use-app.ts";

/** What a person signs in with. */
export function Profile() {
  const { t } = useLingui();
  const { trpc, auth, page } = useApp();
  const userId = page.session.user.id;
  const account = useQuery(trpc.account.get.queryOptions());
  const describe = useAppProblemText();
  const [draft] = useState(() => takeDraft(userId));
  return (
    <>
      <Title text={t`Your username and e-mail address`} />
      <Loaded query={account}>
        {({ username, email, editable }) =>
          editable ? (
            <div className={styles.narrow}>
              <Form
                submit={t`Save`}
                describe={describe}
                send={async (read) => {
                  const fields = { username: read("username"), email: read("email") };
                  // What stays is not sent: another tab may have changed it.
                  const changes = {
                    ...(fields.username !== username && { username: fields.username }),
                    ...(fields.email !== (email ?? "") && { email: fields.email === "" ? null : fields.email }),
                  };
                  await confirmRecent(
                    "profile",
                    () => auth.trpc.account.update.mutate(changes),
                    () => keepDraft(userId, fields),
                  );
                  // A new document: who is signed in is in many places of this one.
                  location.assign("/account");
                  return "leaving";
                }}
              >
                {(state) => (
                  <NameFields username={draft.username ?? username} email={draft.email ?? email ?? ""} state={state} />
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
