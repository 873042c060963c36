import { expect, it, vi } from "vitest";
import { repeat } from "./repeat.ts";

interface Turned {
  readonly log: Record<"debug" | "info" | "warn" | "error", ReturnType<typeof vi.fn>>;
  readonly repeated: ReturnType<typeof repeat>;
  /** What the timer does. */
  comeDue(): void;
}

function turned(work: () => Promise<void>): Turned {
  let tick: () => void = () => {};
  const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  const every = (_: number, work: () => void) => {
    tick = work;
    return { stop() {} };
  };
  const repeated = repeat(work, { every, log, milliseconds: 1_000, complaint: "it failed" });
  return { log, repeated, comeDue: () => tick() };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it("says once that it fails, and once that it works again", async () => {
  let fails = true;
  const { log, comeDue } = turned(async () => {
    if (fails) throw new Error("away");
  });
  for (let count = 0; count < 5; count += 1) {
    comeDue();
    await settled();
  }
  expect(log.warn.mock.calls.map(([, message]) => message)).toEqual(["it failed"]);
  fails = false;
  comeDue();
  comeDue();
  await settled();
  expect(log.info.mock.calls.map(([, message]) => message)).toEqual(["it failed, and works again"]);
});

it("does one turn at a time, and what came due meanwhile follows at once", async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  const { repeated, comeDue } = turned(() => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    return gate.promise;
  });
  for (let count = 0; count < 3; count += 1) comeDue();
  expect(gates).toHaveLength(1);
  gates[0]?.resolve();
  await settled();
  expect(gates).toHaveLength(2);
  comeDue();
  const stopped = repeated.stop();
  gates[1]?.resolve();
  await stopped;
  expect(gates).toHaveLength(2);
});
