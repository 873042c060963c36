import type { Principal } from "@countersign/shared";
import { expect, test } from "vitest";
import { BoundedCache } from "./bounded-cache.ts";

const someone = (username: string) => ({ username }) as Principal;

test("a token is known until its time, and not a millisecond longer", () => {
  const verified = new BoundedCache<Principal>();
  const alice = someone("alice");
  verified.set("token", alice, 1_000);
  expect(verified.get("token", 999)).toBe(alice);
  expect(verified.get("token", 1_000)).toBeNull();
});

test("a token that differs in any one character is unknown", () => {
  const verified = new BoundedCache<Principal>();
  const token = "abcdefghij".repeat(10);
  verified.set(token, someone("alice"), 1_000);
  for (let index = 0; index < token.length; index += 1) {
    expect(verified.get(`${token.slice(0, index)}X${token.slice(index + 1)}`, 0)).toBeNull();
  }
  expect(verified.get(`X${token}`, 0)).toBeNull();
  expect(verified.get(token.slice(1), 0)).toBeNull();
  expect(verified.get(token, 0)?.username).toBe("alice");
});

test("a token that is put in twice pushes out no other", () => {
  const verified = new BoundedCache<Principal>(2);
  for (const name of ["a", "b", "b"]) verified.set(name, someone(name), 1_000);
  expect(verified.get("a", 0)?.username).toBe("a");
});

test("a cache of no size keeps nothing", () => {
  const verified = new BoundedCache<Principal>(0);
  verified.set("token", someone("alice"), 1_000);
  expect(verified.get("token", 0)).toBeNull();
});

test("the oldest token goes when there are too many", () => {
  const verified = new BoundedCache<Principal>(2);
  for (const name of ["a", "b", "c"]) verified.set(name, someone(name), 1_000);
  expect(verified.size).toBe(2);
  expect(verified.get("a", 0)).toBeNull();
  expect(verified.get("b", 0)?.username).toBe("b");
  expect(verified.get("c", 0)?.username).toBe("c");
});

test("a token that is put in twice takes one place, and becomes the youngest", () => {
  const verified = new BoundedCache<Principal>(2);
  for (const name of ["a", "b", "a", "c"]) verified.set(name, someone(name), 1_000);
  expect(verified.get("a", 0)?.username).toBe("a");
  expect(verified.get("b", 0)).toBeNull();
});
