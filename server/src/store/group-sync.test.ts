import { expect, test } from "vitest";
import { groupSync } from "./group-sync.ts";

/** Syncs that a test ends, in the order in which they began. */
function syncs() {
  const begun: PromiseWithResolvers<void>[] = [];
  const synced = groupSync(() => {
    const sync = Promise.withResolvers<void>();
    begun.push(sync);
    return sync.promise;
  });
  /** Lets all that can go on do so. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { begun, synced, settle };
}

test("those who come while one runs share the next, which begins when that one has ended", async () => {
  const { begun, synced, settle } = syncs();
  const told: string[] = [];
  const first = synced().then(() => told.push("first"));
  await settle();
  const later = Promise.all([synced(), synced()]).then(() => told.push("later"));
  await settle();
  expect(begun).toHaveLength(1);
  begun[0]?.resolve();
  await first;
  await settle();
  expect(begun).toHaveLength(2);
  expect(told).toEqual(["first"]);
  begun[1]?.resolve();
  await later;
  await settle();
  expect(begun).toHaveLength(2);
});

test("after one that failed, nothing is known of the disk: all that come are told so", async () => {
  const { begun, synced, settle } = syncs();
  const failed = new Error("EIO");
  const first = synced();
  await settle();
  const waiting = synced();
  begun[0]?.reject(failed);
  for (const refused of [first, waiting, synced()]) await expect(refused).rejects.toBe(failed);
  await settle();
  expect(begun).toHaveLength(1);
});
