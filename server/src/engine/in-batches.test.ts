import { expect, it } from "vitest";
import { inBatches } from "./in-batches.ts";

/** Doubles numbers, a batch whenever `go` is called. */
function doubler(atMost: number) {
  const batches: (readonly number[])[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const double = inBatches({
    atMost,
    async work(items: readonly number[]) {
      batches.push(items);
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      return (item) => item * 2;
    },
  });
  const current = () => gates.at(-1) ?? expect.fail("nothing is under way");
  return { double, batches, go: () => current().resolve(), fail: (error: Error) => current().reject(error) };
}

it("does what was asked for meanwhile together, in the order in which it came", async () => {
  const { double, batches, go } = doubler(3);
  const first = double(1);
  const others = [2, 3, 4, 5].map(double);
  expect(batches).toEqual([[1]]);
  go();
  expect(await first).toBe(2);
  await expect.poll(() => batches).toEqual([[1], [2, 3, 4]]);
  go();
  await expect.poll(() => batches).toEqual([[1], [2, 3, 4], [5]]);
  go();
  expect(await Promise.all(others)).toEqual([4, 6, 8, 10]);
});

it("tells a failure to all that wait, and goes on with who comes after", async () => {
  const { double, batches, go, fail } = doubler(1);
  const asked = Promise.allSettled([1, 2, 3].map(double));
  const away = new Error("the database is away");
  fail(away);
  expect(await asked).toEqual(Array.from({ length: 3 }, () => ({ status: "rejected", reason: away })));
  expect(batches).toEqual([[1]]);
  const later = double(4);
  go();
  expect(await later).toBe(8);
});
