import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQuery } from "@tanstack/react-query";
import button from "../../shared/button.module.css";
import styles from "../parts/page.module.css";
import { SessionRow } from "../parts/session-row.tsx";
import { useDeviceName } from "../parts/use-device-name.ts";
import { useApp } from "../use-app.ts";

/** Where a person is signed in: this device first, and the others with a way to sign them out. */
export function Devices() {
  const { t } = useLingui();
  const { trpc, queryClient } = useApp();
  const sessions = useQuery(trpc.auth.sessions.list.queryOptions(undefined, { refetchInterval: 5_000 }));
  const revoke = useMutation(
    trpc.auth.sessions.revoke.mutationOptions({
      // Whether it was there or not: it is signed out now.
      onSettled: () => queryClient.invalidateQueries(trpc.auth.sessions.list.queryFilter()),
    }),
  );
  const nameOf = useDeviceName();
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
      <ul className={styles.rows}>
        {rows.map((session) => (
          <SessionRow key={session.id} session={session} name={nameOf(session.userAgent)}>
            {!session.current && (
              <button
                type="button"
                className={button.quiet}
                aria-label={t`Sign out ${nameOf(session.userAgent)}`}
                aria-disabled={revoke.isPending}
                onClick={() => !revoke.isPending && revoke.mutate({ id: session.id })}
              >
                <Trans>Sign out</Trans>
              </button>
            )}
          </SessionRow>
        ))}
      </ul>
    </section>
  );
}
