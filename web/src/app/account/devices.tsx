import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouteContext } from "@tanstack/react-router";
import button from "../../shared/button.module.css";
import styles from "./devices.module.css";

/** Where a person is signed in: this device first, and the others with a way to sign them out. */
export function Devices() {
  const { t, i18n } = useLingui();
  const {
    client: { trpc },
  } = useRouteContext({ from: "__root__" });
  const queryClient = useQueryClient();
  const sessions = useQuery(trpc.auth.sessions.list.queryOptions(undefined, { refetchInterval: 5_000 }));
  const revoke = useMutation(
    trpc.auth.sessions.revoke.mutationOptions({
      // Whether it was there or not: it is signed out now.
      onSettled: () => queryClient.invalidateQueries(trpc.auth.sessions.list.queryFilter()),
    }),
  );
  const nameOf = ({ userAgent }: { readonly userAgent: string | null }) => userAgent ?? t`Unknown device`;
  const time = (date: Date) => i18n.date(date, { dateStyle: "medium", timeStyle: "short" });
  const rows = (sessions.data ?? []).toSorted((one, other) => Number(other.current) - Number(one.current));
  return (
    <section aria-labelledby="devices">
      <h2 id="devices">
        <Trans>Where you are signed in</Trans>
      </h2>
      {sessions.isPending && (
        <p role="status">
          <Trans>One moment …</Trans>
        </p>
      )}
      {sessions.isError && (
        <p role="alert">
          <Trans>The list could not be read. It is tried again every few seconds.</Trans>
        </p>
      )}
      <ul className={styles.list}>
        {rows.map((session) => (
          <li key={session.id} className={styles.device}>
            <span className={styles.name}>
              <bdi>{nameOf(session)}</bdi>
            </span>
            {session.current && (
              <span className={styles.tag}>
                <Trans>This device</Trans>
              </span>
            )}
            <span className={styles.details}>
              <Trans>
                Signed in <time dateTime={session.createdAt.toISOString()}>{time(session.createdAt)}</time>, last used{" "}
                <time dateTime={session.lastUsedAt.toISOString()}>{time(session.lastUsedAt)}</time>
              </Trans>
              {session.address !== null && (
                <>
                  {" · "}
                  <bdi>{session.address}</bdi>
                </>
              )}
            </span>
            {!session.current && (
              <button
                type="button"
                className={button.quiet}
                aria-label={t`Sign out ${nameOf(session)}`}
                aria-disabled={revoke.isPending}
                onClick={() => !revoke.isPending && revoke.mutate({ id: session.id })}
              >
                <Trans>Sign out</Trans>
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
