import { auditKinds } from "@countersign/shared";
import type { AuditEvent } from "@countersign/shared/schemas";
import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { FormEvent } from "react";
import button from "../../shared/button.module.css";
import form from "../../shared/form.module.css";
import { EventSentence, useEventSentences } from "../parts/event-sentence.tsx";
import { Loaded } from "../parts/loading.tsx";
import { More } from "../parts/more.tsx";
import styles from "../parts/page.module.css";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { Title } from "../parts/title.tsx";
import { useDeviceName } from "../parts/use-device-name.ts";
import { useApp } from "../use-app.ts";
import { Activity } from "./activity.tsx";

/** What happened, to everyone or to one account. What is looked for is in the address. */
export function Events() {
  const { t } = useLingui();
  const { trpc } = useApp();
  const { account, kind, before } = useSearch({ from: "/administrators/admin/events" });
  const nameOf = useDeviceName();
  const activity = useQuery(trpc.admin.activity.queryOptions({ days: 30 }));
  const events = useInfiniteQuery(
    trpc.admin.events.infiniteQueryOptions(
      {
        ...(account !== undefined && { accountId: account }),
        ...(kind !== undefined && { kinds: [kind] }),
        ...(before !== undefined && { before: endOf(before) }),
      },
      { getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined },
    ),
  );
  return (
    <>
      <Title text={t`Security events`} />
      <Loaded query={activity}>{(hours) => <Activity hours={hours} />}</Loaded>
      <Filter />
      <Loaded query={events}>
        {({ pages }) => (
          <Table
            caption={t`The newest first`}
            rows={pages.flatMap((page) => page.events)}
            keyOf={({ id }) => id}
            columns={[
              { name: t`What`, cell: (event) => <EventSentence event={event} /> },
              { name: t`When`, cell: ({ at }) => <Time at={at} /> },
              { name: t`Whose account`, cell: ({ account: whose }) => <Person person={whose} /> },
              { name: t`Done by`, cell: ({ actor }) => <Person person={actor} /> },
              {
                name: t`From`,
                cell: ({ address, userAgent }) => (
                  <>
                    <bdi>{address ?? "–"}</bdi>
                    {userAgent !== null && (
                      <>
                        {" · "}
                        <bdi>{nameOf(userAgent)}</bdi>
                      </>
                    )}
                  </>
                ),
              },
            ]}
          />
        )}
      </Loaded>
      <More query={events} />
    </>
  );
}

function Filter() {
  const { t } = useLingui();
  const say = useEventSentences();
  const { account, kind, before } = useSearch({ from: "/administrators/admin/events" });
  const navigate = useNavigate({ from: "/admin/events" });

  function onFilter(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const chosen = auditKinds.find((name) => name === data.get("kind"));
    const day = String(data.get("before") ?? "");
    void navigate({
      search: {
        ...(account !== undefined && { account }),
        ...(chosen !== undefined && { kind: chosen }),
        ...(day !== "" && { before: day }),
      },
    });
  }

  return (
    <form key={`${kind} ${before}`} className={styles.bar} onSubmit={onFilter}>
      <label className={form.field}>
        <Trans>What</Trans>
        <select name="kind" className={form.select} defaultValue={kind ?? ""}>
          <option value="">{t`Everything`}</option>
          {auditKinds.map((name) => (
            <option key={name} value={name}>
              {say({ kind: name })}
            </option>
          ))}
        </select>
      </label>
      <label className={form.field}>
        <Trans>Up to this day</Trans>
        <span className={form.input}>
          <input type="date" name="before" defaultValue={before} />
        </span>
      </label>
      <button type="submit" className={button.quiet}>
        <Trans>Show</Trans>
      </button>
      {account !== undefined && (
        <Link to="/admin/events" search={{}}>
          <Trans>Of all accounts</Trans>
        </Link>
      )}
    </form>
  );
}

/** A day is over where its reader lives. */
function endOf(day: string): Date {
  const date = new Date(`${day}T00:00:00`);
  date.setDate(date.getDate() + 1);
  return date;
}

function Person({ person }: { readonly person: AuditEvent["account"] }) {
  if (person === null) return <>–</>;
  const { id, username } = person;
  if (username === null) return <code>{id}</code>;
  return (
    <Link to="/admin/accounts/$id" params={{ id }}>
      <bdi>{username}</bdi>
    </Link>
  );
}
