import { expect, it } from "vitest";
import { createRandomBytes } from "./random-bytes.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

it("gives each byte once, across the pages that it is asked for by", () => {
  const randomBytes = createRandomBytes();
  const seen = new Set(Array.from({ length: 2_000 }, () => hex(randomBytes(16))));
  expect(seen.size).toBe(2_000);
  expect(hex(randomBytes(16))).not.toBe(hex(createRandomBytes()(16)));
});

it.each([16, 100, 4_096, 4_097, 10_000])("gives %i bytes, and leaves none of them as it was before", (length) => {
  const randomBytes = createRandomBytes();
  for (let time = 0; time < 50; time += 1) {
    const bytes = randomBytes(length);
    expect(bytes).toHaveLength(length);
    expect(hex(bytes)).not.toMatch(/(?:00){8}/);
  }
});
