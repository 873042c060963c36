/** How long times take. */

/** What a share of them is at most: of those that are there, the nearest. */
export function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/**
 * The 99th percentile of each part of so many, one after the other, and the median of those: what holds all the time, though
 * somebody else had the machine for a few seconds.
 */
export function typicalP99(times: readonly number[], partLength: number): number {
  const parts = Math.max(1, Math.floor(times.length / partLength));
  const length = Math.ceil(times.length / parts);
  const each = Array.from({ length: parts }, (_, part) => times.slice(part * length, (part + 1) * length));
  return quantile(
    each.map((part) => quantile(part, 0.99)),
    0.5,
  );
}
