import { Trans, useLingui } from "@lingui/react/macro";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Form } from "../../shared/form.tsx";
import { NameFields } from "../../shared/name-fields.tsx";
import { confirmRecent } from "../confirm-recent.ts";
import { keepDraft, takeDraft } from "../draft.ts";
import styles from "../parts/page.module.css";
import { Title } from "../parts/title.tsx";
import { useApp, useAppProblemText } from "../use-app.ts";
import { RoleChoice } from "./role-choice.tsx";

/** An account for somebody else. It has no password that anybody knows until it is given a temporary one, on its page. */
export function NewAccount() {
  const { t } = useLingui();
  const { auth, queryClient, trpc, page } = useApp();
  const userId = page.session.user.id;
  const [draft] = useState(() => takeDraft(userId));
  const describe = useAppProblemText();
  const navigate = useNavigate();
  return (
    <>
      <Title text={t`Make an account`} />
      <div className={styles.narrow}>
        <Form
          submit={t`Make the account`}
          describe={describe}
          send={async (read) => {
            const email = read("email");
            const roles = read("roles");
            const fields = { username: read("username"), email };
            const account = await confirmRecent(
              "accounts",
              () =>
                auth.trpc.users.create.mutate({
                  username: fields.username,
                  password: unknownPassword(),
                  ...(email !== "" && { email }),
                  roles: roles === "" ? [] : roles.split("\n"),
                }),
              () => keepDraft(userId, fields),
            );
            await queryClient.invalidateQueries(trpc.users.list.queryFilter());
            await navigate({ to: "/admin/accounts/$id", params: { id: account.id } });
            return "leaving";
          }}
        >
          {(state) => (
            <>
              <NameFields {...draft} isOwn={false} state={state} />
              <RoleChoice chosen={[]} />
              <p>
                <Trans>On the page of the account you give it a temporary password, which is shown to you once.</Trans>
              </p>
            </>
          )}
        </Form>
      </div>
      <p>
        <Link to="/admin/accounts">
          <Trans>Back to all accounts</Trans>
        </Link>
      </p>
    </>
  );
}

function unknownPassword(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
