import { Trans, useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { confirmRecent } from "../confirm-recent.ts";
import { Confirm } from "../parts/confirm.tsx";
import styles from "../parts/page.module.css";
import { Time } from "../parts/time.tsx";
import { Title } from "../parts/title.tsx";
import { useApp } from "../use-app.ts";

/** Has the account deleted, after a grace. */
export function Delete() {
  const { t } = useLingui();
  const { auth } = useApp();
  const [deletedAfter, setDeletedAfter] = useState<Date | null>(null);
  if (deletedAfter !== null) {
    return (
      <>
        <Title key="done" text={t`Your account is going to be deleted`} />
        <p>
          <Trans>
            You are signed out everywhere. On <Time at={deletedAfter} /> the account is deleted for good. Until then you
            can sign in and keep it.
          </Trans>
        </p>
        <p>
          <a href="/sign-in">
            <Trans>Sign in</Trans>
          </a>
        </p>
      </>
    );
  }
  return (
    <>
      <Title text={t`Delete your account`} />
      <ul className={styles.points}>
        <li>
          <Trans>You are signed out on every device, at once.</Trans>
        </li>
        <li>
          <Trans>For some days you can change your mind: sign in, and keep the account.</Trans>
        </li>
        <li>
          <Trans>After that it is deleted for good. Nobody can bring it back, and others may take its username.</Trans>
        </li>
      </ul>
      <Confirm
        label={t`Delete my account`}
        title={t`Delete your account?`}
        act={async () => {
          const { deletedAfter: at } = await confirmRecent("deletion", () => auth.trpc.account.remove.mutate());
          setDeletedAfter(at);
        }}
      >
        <p>
          <Trans>You are signed out everywhere, and have some days to change your mind.</Trans>
        </p>
      </Confirm>
    </>
  );
}
