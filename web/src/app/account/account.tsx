import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import button from "../../shared/button.module.css";
import { problemIn } from "../../shared/problem.ts";
import { Fact, Facts } from "../parts/facts.tsx";
import { Loaded } from "../parts/loading.tsx";
import styles from "../parts/page.module.css";
import { Time } from "../parts/time.tsx";
import { Title } from "../parts/title.tsx";
import { useApp, useAppProblemText } from "../use-app.ts";
import { Devices } from "./devices.tsx";

/** A person's own account. */
export function Account() {
  const { t } = useLingui();
  const { trpc } = useApp();
  const account = useQuery(trpc.account.get.queryOptions());
  return (
    <>
      <Title text={t`Your account`} />
      <Loaded query={account}>
        {({ username, email, roles, createdAt, editable, deletedAfter, passwordExpiresAt }) => (
          <>
            {deletedAfter !== null && <ToBeDeleted at={deletedAfter} />}
            {passwordExpiresAt !== null && (
              <p className={styles.notice}>
                <Trans>
                  Your password is a temporary one, and ends on <Time at={passwordExpiresAt} />.{" "}
                  <Link to="/account/password">Choose one of your own</Link>
                </Trans>
              </p>
            )}
            <Facts>
              <Fact name={t`Username`}>
                <bdi>{username}</bdi>
              </Fact>
              <Fact name={t`E-mail address`}>{email === null ? <Trans>None</Trans> : <bdi>{email}</bdi>}</Fact>
              {roles.length > 0 && <Fact name={t`Roles`}>{roles.join(", ")}</Fact>}
              {createdAt !== null && (
                <Fact name={t`Here since`}>
                  <Time at={createdAt} style="day" />
                </Fact>
              )}
            </Facts>
            {editable && (
              <p>
                <Link to="/account/profile">
                  <Trans>Change your username or e-mail address</Trans>
                </Link>
              </p>
            )}
          </>
        )}
      </Loaded>
      <Devices />
    </>
  );
}

function ToBeDeleted({ at }: { readonly at: Date }) {
  const { trpc, queryClient } = useApp();
  const describe = useAppProblemText();
  const keep = useMutation(
    trpc.account.keep.mutationOptions({
      onSuccess: (account) => queryClient.setQueryData(trpc.account.get.queryKey(), account),
    }),
  );
  return (
    <div className={styles.notice}>
      <p>
        <Trans>
          Your account is going to be deleted on <Time at={at} />.
        </Trans>
      </p>
      <div role="alert">{keep.error !== null && describe(problemIn(keep.error)).general}</div>
      <button
        type="button"
        className={button.quiet}
        aria-disabled={keep.isPending}
        onClick={() => !keep.isPending && keep.mutate()}
      >
        <Trans>Keep my account</Trans>
      </button>
    </div>
  );
}
