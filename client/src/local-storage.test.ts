import { afterEach, expect, it, vi } from "vitest";
import { localStorageOrNull } from "./local-storage.ts";

afterEach(() => vi.unstubAllGlobals());

it("is the browser's, where there is one", () => {
  const storage = { getItem: () => null };
  vi.stubGlobal("localStorage", storage);
  expect(localStorageOrNull()).toBe(storage);
});

it.each([
  ["none, as on a server", undefined],
  ["Node 25's, which can do nothing", {}],
])("is null for %s", (_, storage) => {
  vi.stubGlobal("localStorage", storage);
  expect(localStorageOrNull()).toBeNull();
});
