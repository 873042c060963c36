/**
 * Counts what is done, for people who look at an hour or a month. In memory, and added to the database's now and then: a refresh
 * must not wait for a count, and a process that is killed loses the last minute of them.
 */
import type { Db, Now } from "../deps.ts";
import { addTallies } from "../store/tallies.ts";

const hourMs = 3_600_000;

export type TallyKind = "sign_in" | "sign_in_failed" | "refresh";

export interface Tally {
  /** One more, in this hour. */
  count(kind: TallyKind): void;
  /** Adds what was counted to the database's. What could not be added is kept. */
  write(): Promise<void>;
}

export function createTally({ db, now }: { readonly db: Db; readonly now: Now }): Tally {
  let counted = new Map<string, { hour: number; kind: TallyKind; count: number }>();

  function add(hour: number, kind: TallyKind, more: number): void {
    const key = `${new Date(hour).toISOString()} ${kind}`;
    const known = counted.get(key);
    if (known === undefined) counted.set(key, { hour, kind, count: more });
    else known.count += more;
  }

  return {
    count: (kind) => add(Math.floor(now() / hourMs) * hourMs, kind, 1),

    async write() {
      if (counted.size === 0) return;
      const written = counted;
      counted = new Map();
      try {
        await addTallies(
          db,
          [...written].map(([key, { hour, ...tally }]) => ({ key, began_at: hour, ...tally })),
        );
      } catch (error) {
        for (const { hour, kind, count } of written.values()) add(hour, kind, count);
        throw error;
      }
    },
  };
}
