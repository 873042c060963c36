import { useSession } from "@countersign/client/react";
import { Trans, useLingui } from "@lingui/react/macro";
import { Form } from "../../shared/form.tsx";
import { PasswordField } from "../../shared/password-field.tsx";
import type { Problem } from "../../shared/problem.ts";
import { atField } from "../../shared/problem-text.ts";
import styles from "../parts/page.module.css";
import { Title } from "../parts/title.tsx";
import { useApp, useAppProblemText } from "../use-app.ts";

/** Another password. The one that is used now is asked for each time, however recent the sign-in: it is what the server demands. */
export function Password() {
  const { t } = useLingui();
  const { page, auth, trpc, queryClient } = useApp();
  const session = useSession();
  const describeAny = useAppProblemText();
  const describe = (problem: Problem) =>
    problem.reason === "INVALID_CREDENTIALS"
      ? atField("currentPassword", t`This is not your password. Check it, and try again.`)
      : describeAny(problem);
  const username = session.status === "signed-in" ? session.user.username : "";
  return (
    <>
      <Title text={t`Your password`} />
      <p>
        <Trans>When it is changed, every other device is signed out.</Trans>
      </p>
      <div className={styles.narrow}>
        <Form
          submit={t`Change the password`}
          done={t`The password is changed, and your other devices are signed out.`}
          describe={describe}
          send={async (read) => {
            const [currentPassword, newPassword] = [read("currentPassword"), read("newPassword")];
            await auth.trpc.auth.changePassword.mutate({ currentPassword, newPassword });
            await queryClient.invalidateQueries(trpc.account.get.queryFilter());
            return "staying";
          }}
        >
          {(state) => (
            <>
              <PasswordField
                name="currentPassword"
                label={t`Current password`}
                autoComplete="current-password"
                username={username}
                state={state}
              />
              <PasswordField
                name="newPassword"
                label={t`New password`}
                hint={t`At least ${page.minPasswordLength} characters. A few words that belong to you alone are easy to remember and hard to guess.`}
                autoComplete="new-password"
                state={state}
              />
            </>
          )}
        </Form>
      </div>
    </>
  );
}
