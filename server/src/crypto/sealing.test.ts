import { expect, test } from "vitest";
import { deriveKey, open, SealingError, type SealingProblem, seal } from "./sealing.ts";

const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const secret = new Uint8Array(32).fill(7);
const key = deriveKey(secret, "signing keys", 32);
const value = new TextEncoder().encode("a small secret");
const context = "EdDSA:key-1";
const sealed = seal({ key, randomBytes }, value, { context });

function problemOf(work: () => unknown): SealingProblem {
  try {
    work();
  } catch (error) {
    if (error instanceof SealingError) return error.problem;
  }
  throw new Error("expected a SealingError");
}

test("what was sealed opens with the same key and the same context", () => {
  expect(open(key, sealed, { context })).toEqual(value);
});

test("the same value is sealed differently each time", () => {
  expect(seal({ key, randomBytes }, value, { context })).not.toEqual(sealed);
});

test("an empty value can be sealed", () => {
  const empty = seal({ key, randomBytes }, new Uint8Array(), { context });
  expect(open(key, empty, { context })).toEqual(new Uint8Array());
});

test("another secret is told apart from damage", () => {
  const other = deriveKey(new Uint8Array(32).fill(8), "signing keys", 32);
  expect(problemOf(() => open(other, sealed, { context }))).toBe("another_secret");
  expect(problemOf(() => open(deriveKey(secret, "refresh tokens", 32), sealed, { context }))).toBe("another_secret");
});

test("a sealed value does not open in another context", () => {
  expect(problemOf(() => open(key, sealed, { context: "EdDSA:key-2" }))).toBe("damaged");
});

test("a sealed value with any one bit changed does not open", () => {
  for (let index = 0; index < sealed.length * 8; index += 1) {
    const changed = sealed.slice();
    changed[index >> 3] = (changed[index >> 3] ?? 0) ^ (1 << (index & 7));
    const expected = index < 8 ? "unknown_version" : index < 72 ? "another_secret" : "damaged";
    expect(problemOf(() => open(key, changed, { context }))).toBe(expected);
  }
});

test("a sealed value that was cut short is damaged", () => {
  for (let length = 0; length < sealed.length; length += 1) {
    expect(problemOf(() => open(key, sealed.subarray(0, length), { context }))).toBe("damaged");
  }
});

test("each label and each secret gives a key of its own, and always the same one", () => {
  expect(deriveKey(secret, "signing keys", 32)).toEqual(key);
  expect(deriveKey(secret, "session cookies", 32)).not.toEqual(key);
  // Pinned: a change here would make every database unreadable.
  expect(Buffer.from(key).toString("hex")).toBe("52b0a2fe787dd0f4f7c56976d7014d5f3a9ab50beef7ee7b0fa8cece5c72efb1");
});

test("a short secret is refused", () => {
  expect(() => deriveKey(new Uint8Array(31), "signing keys", 32)).toThrow(TypeError);
});
