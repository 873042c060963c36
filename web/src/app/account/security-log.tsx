import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { EventSentence } from "../parts/event-sentence.tsx";
import { Loaded } from "../parts/loading.tsx";
import { More } from "../parts/more.tsx";
import styles from "../parts/page.module.css";
import { Time } from "../parts/time.tsx";
import { Title } from "../parts/title.tsx";
import { useDeviceName } from "../parts/use-device-name.ts";
import { useApp } from "../use-app.ts";

/** What happened to a person's own account. */
export function SecurityLog() {
  const { t } = useLingui();
  const { trpc } = useApp();
  const nameOf = useDeviceName();
  const events = useInfiniteQuery(
    trpc.account.events.infiniteQueryOptions({}, { getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined }),
  );
  return (
    <>
      <Title text={t`What happened to your account`} />
      <p>
        <Trans>
          Was something not you? <Link to="/account/password">Change your password</Link>: every other device is signed
          out then.
        </Trans>
      </p>
      <Loaded query={events}>
        {({ pages }) => (
          <ul className={styles.rows}>
            {pages
              .flatMap((page) => page.events)
              .map((event) => (
                <li key={event.id} className={styles.row}>
                  <strong>
                    <EventSentence event={event} />
                  </strong>
                  <span className={styles.details}>
                    <Time at={event.at} />
                    {event.userAgent !== null && (
                      <>
                        {" · "}
                        <bdi>{nameOf(event.userAgent)}</bdi>
                      </>
                    )}
                    {event.address !== null && (
                      <>
                        {" · "}
                        <bdi>{event.address}</bdi>
                      </>
                    )}
                  </span>
                </li>
              ))}
          </ul>
        )}
      </Loaded>
      <More query={events} />
    </>
  );
}
