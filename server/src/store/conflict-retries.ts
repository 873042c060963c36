import { setTimeout as sleep } from "node:timers/promises";

/** Works again from the start, after each of the pauses, as long as the database undoes it for the sake of another. */
export async function retryConflicts<T>(
  work: () => Promise<T>,
  { pausesMs, isConflict }: { readonly pausesMs: readonly number[]; readonly isConflict: (error: unknown) => boolean },
): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await work();
    } catch (error) {
      if (!isConflict(error)) throw error;
      await sleep(pauseMs);
    }
  }
  return await work();
}
