import * as argon2 from "@node-rs/argon2";
import { describe, expect, it } from "vitest";
import { createPasswordHasher } from "./password-hasher.ts";

const cost = { memoryKiB: 8, iterations: 1, parallelism: 1 };
const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const make = (queue: number, concurrency = 1) =>
  createPasswordHasher({ ...cost, concurrency, queue }, { argon2, randomBytes });

describe("the password hasher", () => {
  it("lets as many run and wait as it may, and refuses the next one at once", async () => {
    const hasher = make(2);
    const taken = [hasher.hash("a"), hasher.hash("b"), hasher.hash("c")];
    expect(hasher.load()).toBe(3);
    await expect(hasher.hash("d")).rejects.toMatchObject({ data: { reason: "BUSY", details: { retryAfter: 2 } } });
    expect(() => hasher.requireRoom()).toThrow(expect.objectContaining({ reason: "BUSY" }));
    await Promise.all(taken);
    expect(hasher.load()).toBe(0);
    await hasher.hash("d");
  });

  it("counts comparisons too, with and without a stored hash", async () => {
    const hasher = make(0);
    const stored = await hasher.hash("a");
    const running = hasher.verify("a", stored);
    await Promise.resolve();
    await expect(hasher.verify("a", stored)).rejects.toMatchObject({ reason: "BUSY" });
    expect(await running).toBe(true);
    const standIn = hasher.verify("a", null);
    await expect.poll(() => hasher.load()).toBe(1);
    await expect(hasher.hash("b")).rejects.toMatchObject({ reason: "BUSY" });
    expect(await standIn).toBe(false);
  });

  it("matches nothing without a stored hash, at the cost of a hash, and whatever the comparison says", async () => {
    const compared: string[] = [];
    const verify = async (stored: string, password: string) => {
      compared.push(stored);
      return !(await argon2.verify(stored, password));
    };
    const options = { memoryKiB: 19_456, iterations: 2, parallelism: 1, queue: 2 };
    const hasher = createPasswordHasher(options, { argon2: { ...argon2, verify }, randomBytes });
    expect(await hasher.verify("hunter2", null)).toBe(false);
    const costs = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32, saltLen: 16 };
    expect(compared.map((stored) => argon2.parseOptions(stored))).toEqual([expect.objectContaining(costs)]);
  });

  it("takes a hash that it cannot read for none", async () => {
    const hasher = make(2);
    for (const stored of ["", "$argon2id$junk", "$2b$31$junk", "hunter2"]) {
      expect(await hasher.verify("hunter2", stored)).toBe(false);
    }
  });

  it("gives each password a salt of its own", async () => {
    const hasher = make(2);
    const [first, second] = [await hasher.hash("same"), await hasher.hash("same")];
    expect(first).not.toBe(second);
    expect([await hasher.verify("same", first), await hasher.verify("same", second)]).toEqual([true, true]);
    expect(await hasher.verify("Same", first)).toBe(false);
  });

  it("calls a hash of another cost outdated, and none of its own", async () => {
    const hasher = make(2);
    const stored = await hasher.hash("a");
    expect(hasher.isOutdated(stored)).toBe(false);
    const dearer = createPasswordHasher({ ...cost, iterations: 2, concurrency: 1, queue: 2 }, { argon2, randomBytes });
    expect(dearer.isOutdated(stored)).toBe(true);
    expect(await dearer.verify("a", stored)).toBe(true);
  });
});
