import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { Fact, Facts } from "../parts/facts.tsx";
import { Loaded } from "../parts/loading.tsx";
import { Time } from "../parts/time.tsx";
import { Title } from "../parts/title.tsx";
import { useApp } from "../use-app.ts";

/** How the node that answers is doing. */
export function Health() {
  const { t } = useLingui();
  const { trpc } = useApp();
  const health = useQuery(trpc.admin.health.queryOptions(undefined, { refetchInterval: 5_000 }));
  return (
    <>
      <Title text={t`Health`} />
      <Loaded query={health}>
        {({ version, startedAt, database, feed, hashes }) => (
          <Facts>
            <Fact name={t`Database`}>
              {database.dialect === "sqlite" ? "SQLite" : "PostgreSQL"} ·{" "}
              {database.writeMs === null ? (
                <strong>
                  <Trans>It cannot be written.</Trans>
                </strong>
              ) : (
                <Trans>a write takes {database.writeMs} ms</Trans>
              )}
            </Fact>
            <Fact name={t`Revocations`}>
              {feed.isStale ? (
                <strong>
                  <Trans>They have not been read for {Math.round(feed.ageMs / 1_000)} s.</Trans>
                </strong>
              ) : (
                <Trans>read {feed.ageMs} ms ago</Trans>
              )}
            </Fact>
            <Fact name={t`Passwords that wait to be compared`}>{hashes}</Fact>
            <Fact name={t`Open subscriptions`}>{feed.subscriptions}</Fact>
            <Fact name={t`Version`}>{version}</Fact>
            <Fact name={t`Running since`}>
              <Time at={startedAt} />
            </Fact>
          </Facts>
        )}
      </Loaded>
      <p>
        <Trans>These are the figures of the node that answered; they are asked for again every five seconds.</Trans>
      </p>
    </>
  );
}
