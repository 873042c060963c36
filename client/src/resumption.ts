/** What a subscription needs to go on where it was, after the sign-in that it was opened with has expired. */
import type { Operation } from "@trpc/client";

export interface Resumption {
  /** Learns from what came. */
  note(result: { readonly type?: string; readonly id?: unknown }): void;
  /** The operation for the next stream, asking for what follows the last event that had an id (`tracked()`). */
  next(): Operation;
  /** Whether this stream brought something, or was open for a while: what ends it then has changed since, and is no refusal of its opening. */
  hasLived(): boolean;
}

/** A refusal of the opening comes right behind it. */
const openingMs = 1_000;

export function createResumption(op: Operation): Resumption {
  let lastEventId: string | undefined;
  let openSince = Number.POSITIVE_INFINITY;
  return {
    note(result) {
      if (result.type === "started") openSince = Date.now();
      // Only data has no type.
      else if (result.type === undefined || result.type === "data") openSince = Number.NEGATIVE_INFINITY;
      if (typeof result.id === "string") lastEventId = result.id;
    },
    next() {
      openSince = Number.POSITIVE_INFINITY;
      const { input } = op;
      const isObject = input === undefined || input === null || typeof input === "object";
      return lastEventId !== undefined && isObject ? { ...op, input: { ...input, lastEventId } } : op;
    },
    hasLived: () => Date.now() - openSince > openingMs,
  };
}
