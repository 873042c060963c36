/** What many measurements say, in one figure and how far they were apart. */
import { median, quantile } from "simple-statistics";

export interface Figure {
  readonly median: number;
  /** Between which the middle half lies. */
  readonly low: number;
  readonly high: number;
}

export function figureOf(values: readonly number[]): Figure {
  const numbers = [...values];
  return { median: median(numbers), low: quantile(numbers, 0.25), high: quantile(numbers, 0.75) };
}

/** How many times the others, round by round, as each round has met the same machine: the median of that. */
export function ratioOf(values: readonly number[], others: readonly number[]): number {
  return median(values.map((value, round) => value / (others[round] ?? Number.NaN)));
}

export function inDigits(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString("en");
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** As in `12,345 (12,100–12,600)`. */
export function withSpread({ median, low, high }: Figure): string {
  return `${inDigits(median)} (${inDigits(low)}–${inDigits(high)})`;
}
