/**
 * Where a reader of the feed's table is. Ids are given when a row is written, and seen when its transaction commits: a lower
 * one may come after a higher. So what is missing below the highest id is asked for until no transaction can be so old.
 */

/** Ids from and to, both included. */
export type IdRange = readonly [from: number, to: number];

export interface FeedPosition {
  /** The highest id that was read. */
  readonly highest: number;
  /** What may still be committed below it: as many as `maxGaps`, the rest is `[0, 0]`. */
  gaps(): readonly IdRange[];
  /** Everything up to here was read, or never was. */
  settled(): number;
  /** Notes what was read, in order, and returns what is new. */
  note<Row extends { readonly id: number }>(rows: readonly Row[], now: number): readonly Row[];
}

/** Ranges in one question. Where there are more gaps, as with ids that were never dense, some are asked for in one. */
export const maxGaps = 8;

/**
 * @param start Everything up to this id was read.
 * @param options.lateMs How long a transaction may take at most, in milliseconds.
 */
export function createFeedPosition(start: number, { lateMs }: { readonly lateMs: number }): FeedPosition {
  let highest = start;
  let gaps: { from: number; to: number; since: number }[] = [];
  /** What was read above the first gap. */
  let read: number[] = [];

  function fill(id: number): void {
    gaps = gaps.flatMap((gap) => {
      if (id < gap.from || id > gap.to) return [gap];
      const parts = [
        { ...gap, to: id - 1 },
        { ...gap, from: id + 1 },
      ];
      return parts.filter(({ from, to }) => from <= to);
    });
  }

  /** The two that leave the fewest ids between them become one. */
  function join(): void {
    const distances = gaps.slice(1).map(({ from }, index) => from - (gaps[index]?.to ?? from));
    const index = distances.indexOf(Math.min(...distances));
    const [one, other] = [gaps[index], gaps[index + 1]];
    if (one === undefined || other === undefined) return;
    gaps.splice(index, 2, { from: one.from, to: other.to, since: Math.max(one.since, other.since) });
  }

  const settled = () => (gaps[0] === undefined ? highest : gaps[0].from - 1);

  return {
    get highest() {
      return highest;
    },
    gaps: () => Array.from({ length: maxGaps }, (_, index) => [gaps[index]?.from ?? 0, gaps[index]?.to ?? 0] as const),
    settled,
    note(rows, now) {
      const known = new Set(read);
      const fresh = rows.filter(({ id }) => !known.has(id));
      for (const { id } of fresh) {
        fill(id);
        if (id > highest + 1) gaps.push({ from: highest + 1, to: id - 1, since: now });
        highest = Math.max(highest, id);
      }
      gaps = gaps.filter(({ since }) => now - since < lateMs);
      while (gaps.length > maxGaps) join();
      read = [...read, ...fresh.map(({ id }) => id)].filter((id) => id > settled());
      return fresh;
    },
  };
}
