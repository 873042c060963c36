import fc from "fast-check";
import superjson from "superjson";
import { describe, expect, it } from "vitest";
import { isPlainData } from "./plain-data.ts";
import { transformer } from "./wire.ts";

/** What is sent, as it is written. */
const written = (serialize: (value: unknown) => unknown, value: unknown) => {
  try {
    return JSON.stringify(serialize(value));
  } catch (error) {
    return String(error);
  }
};

describe("plain data", () => {
  it("is sent as superjson sends it, and so is everything else", () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
      key: fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "prototype", "toJSON", "a.b", "0")),
    });
    fc.assert(
      fc.property(anything, (value) => {
        expect(written(transformer.output.serialize, value)).toBe(written((it) => superjson.serialize(it), value));
      }),
      { numRuns: 5_000 },
    );
  });

  it("is told from what needs a word more", () => {
    const shared = { name: "alice" };
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    const plain = ["text", 0, -1.5, true, null, [], {}, { roles: ["admin"], nested: { deep: [1, { more: null }] } }];
    expect(plain.filter((value) => !isPlainData(value))).toEqual([]);
    const other = [
      ...[undefined, Number.NaN, Number.POSITIVE_INFINITY, -0, 1n, Symbol("s"), () => {}],
      ...[new Date(0), new Map(), new Set(), /x/, new Error("x"), new URL("https://a.example"), new (class Own {})()],
      ...[{ at: new Date(0) }, { none: undefined }, [undefined], Array(1), [shared, shared], cyclic, { toJSON: 1 }],
      ...[JSON.parse('{"__proto__":1}'), { constructor: 1 }, { prototype: 1 }, Object.assign([], { toJSON: () => 1 })],
    ];
    expect(other.filter(isPlainData)).toEqual([]);
  });

  it("of any size is seen once", () => {
    const rows = Array.from({ length: 1_000 }, (_, id) => ({ id, username: `user${id}`, roles: ["a"] }));
    expect(transformer.output.serialize(rows)).toEqual({ json: rows });
  });
});
