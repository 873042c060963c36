import type { SigningKey } from "@countersign/shared/schemas";
import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { confirmRecent } from "../confirm-recent.ts";
import { Confirm } from "../parts/confirm.tsx";
import { Loaded } from "../parts/loading.tsx";
import styles from "../parts/page.module.css";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { Title } from "../parts/title.tsx";
import { useApp } from "../use-app.ts";

/** The keys that access tokens are signed with: their names and times, and nothing of what they are. */
export function Keys() {
  const { t } = useLingui();
  const { auth, trpc, queryClient } = useApp();
  const keys = useQuery(trpc.admin.keys.list.queryOptions());
  const rotate = async (how: { immediately?: boolean; compromised?: boolean }) => {
    await confirmRecent("keys", () => auth.trpc.admin.keys.rotate.mutate(how));
    await queryClient.invalidateQueries(trpc.admin.keys.pathFilter());
  };
  return (
    <>
      <Title text={t`Signing keys`} />
      <p>
        <Trans>A new key is made by itself every 90 days, and published ten minutes before it signs.</Trans>
      </p>
      <Loaded query={keys}>
        {(rows) => (
          <Table
            caption={t`The oldest first`}
            rows={rows}
            keyOf={({ kid }) => kid}
            columns={[
              { name: t`Key`, cell: ({ kid }) => <code>{kid}</code> },
              { name: t`Algorithm`, cell: ({ algorithm }) => algorithm },
              { name: t`State`, cell: ({ status }) => <Status status={status} /> },
              { name: t`Made`, cell: ({ createdAt }) => <Time at={createdAt} /> },
              { name: t`Signs from`, cell: ({ activatesAt }) => <Time at={activatesAt} /> },
              {
                name: t`Its last token ends`,
                cell: ({ endsAt }) => (endsAt === null ? "–" : <Time at={endsAt} />),
              },
            ]}
          />
        )}
      </Loaded>
      <div className={styles.acts}>
        <Confirm label={t`Make the next key`} title={t`Make the next key?`} act={() => rotate({})}>
          <p>
            <Trans>It signs in ten minutes, and nobody notices.</Trans>
          </p>
        </Confirm>
        <Confirm
          label={t`Forget all keys`}
          title={t`Forget all keys, and make a new one?`}
          act={() => rotate({ compromised: true })}
        >
          <p>
            <Trans>
              For when somebody else has a key. Every access token stops being good at once: people stay signed in, and
              their applications fetch new ones. Services that verify tokens fetch the new key.
            </Trans>
          </p>
        </Confirm>
      </div>
    </>
  );
}

function Status({ status }: Pick<SigningKey, "status">) {
  switch (status) {
    case "current":
      return <Trans>Signs now</Trans>;
    case "next":
      return <Trans>Comes next</Trans>;
    case "former":
      return <Trans>Was before</Trans>;
  }
}
