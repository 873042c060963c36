import type { HourOfActivity } from "@countersign/shared/schemas";
import { Trans, useLingui } from "@lingui/react/macro";
import { Table } from "../parts/table.tsx";
import { useTimes } from "../use-app.ts";
import styles from "./activity.module.css";

const days = 30;
const series = ["signIns", "failedSignIns", "refreshes"] as const;
type Series = (typeof series)[number];
type Day = { readonly at: Date } & Record<Series, number>;

const height = 40;
const width = 6;

/** How much was done on each of the last days, as bars, and as a table for whoever wants the numbers. */
export function Activity({ hours }: { readonly hours: readonly HourOfActivity[] }) {
  const { t } = useLingui();
  const { day } = useTimes();
  const byDay = daysOf(hours, new Date());
  const names: Readonly<Record<Series, string>> = {
    signIns: t`Sign-ins`,
    failedSignIns: t`Sign-ins that failed`,
    refreshes: t`Sessions that were refreshed`,
  };
  return (
    <section aria-labelledby="activity">
      <h2 id="activity">
        <Trans>The last 30 days</Trans>
      </h2>
      <div className={styles.charts}>
        {series.map((name) => (
          <Bars key={name} name={names[name]} values={byDay.map((each) => each[name])} />
        ))}
      </div>
      <details className={styles.numbers}>
        <summary>
          <Trans>The numbers</Trans>
        </summary>
        <Table
          caption={t`A row for each day, the newest first`}
          rows={byDay.toReversed()}
          keyOf={({ at }) => at.toISOString()}
          columns={[
            { name: t`Day`, cell: ({ at }) => day(at) },
            ...series.map((name) => ({ name: names[name], cell: (each: Day) => each[name].toLocaleString() })),
          ]}
        />
      </details>
    </section>
  );
}

function Bars({ name, values }: { readonly name: string; readonly values: readonly number[] }) {
  const { t } = useLingui();
  const most = Math.max(1, ...values);
  const sum = values.reduce((total, value) => total + value, 0);
  const text = `${name}: ${sum.toLocaleString()}`;
  return (
    <figure className={styles.chart}>
      <figcaption>{text}</figcaption>
      <svg
        viewBox={`0 0 ${values.length * width} ${height}`}
        role="img"
        aria-label={t`${text}; at most ${most.toLocaleString()} a day`}
        preserveAspectRatio="none"
      >
        {values.map((value, index) => {
          const tall = (value / most) * height;
          // biome-ignore lint/suspicious/noArrayIndexKey: a day is its place.
          return <rect key={index} x={index * width} y={height - tall} width={width - 1} height={tall} />;
        })}
      </svg>
    </figure>
  );
}

/** The last days, where the reader lives, also those without anything. */
function daysOf(hours: readonly HourOfActivity[], now: Date): readonly Day[] {
  const all = new Map<string, Day>();
  for (let back = days - 1; back >= 0; back -= 1) {
    const at = new Date(now.getFullYear(), now.getMonth(), now.getDate() - back);
    all.set(at.toDateString(), { at, signIns: 0, failedSignIns: 0, refreshes: 0 });
  }
  for (const hour of hours) {
    const day = all.get(hour.at.toDateString());
    if (day !== undefined) for (const name of series) day[name] += hour[name];
  }
  return [...all.values()];
}
