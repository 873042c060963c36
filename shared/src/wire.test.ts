import fc from "fast-check";
import superjson from "superjson";
import { expect, it } from "vitest";
import { AuthError } from "./errors.ts";
import { transformer } from "./wire.ts";

const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
  fc.constant(undefined),
);
const key = fc.string().filter((name) => !["__proto__", "constructor", "prototype"].includes(name));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
    fc.array(tie("value"), { maxLength: 3 }).map((members) => new Set(members)),
    fc.array(fc.tuple(fc.string(), tie("value")), { maxLength: 3 }).map((entries) => new Map(entries)),
  ),
}));

it("what a client may send arrives as it was", () => {
  fc.assert(
    fc.property(value, (sent) => {
      const body = JSON.parse(JSON.stringify(transformer.input.serialize(sent)));
      expect(transformer.input.deserialize(body)).toEqual(sent);
    }),
  );
});

it("whatever else comes in is refused as a bad request, and touches no prototype", () => {
  const types = fc.constantFrom<unknown>(
    "regexp",
    "Error",
    "URL",
    "Date",
    "map",
    "set",
    "bigint",
    ["class", "x"],
    ["custom", "x"],
    7,
    null,
  );
  const paths = fc.oneof(fc.string(), fc.constantFrom("__proto__.x", "constructor.prototype.x", "a.b", "0", ""));
  const tree = fc.dictionary(
    paths,
    fc.oneof(
      types.map((type) => [type]),
      fc.jsonValue(),
    ),
  );
  const envelope = fc.oneof(
    fc.jsonValue(),
    fc.record({
      json: fc.jsonValue(),
      meta: fc.oneof(fc.jsonValue(), fc.record({ values: tree, v: fc.nat({ max: 2 }) })),
    }),
  );
  fc.assert(
    fc.property(envelope, (body) => {
      try {
        transformer.input.deserialize(JSON.parse(JSON.stringify(body)));
      } catch (error) {
        expect(error).toBeInstanceOf(AuthError);
        expect(error).toMatchObject({ reason: "BAD_REQUEST" });
      }
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect("x" in {}).toBe(false);
    }),
    { numRuns: 3_000 },
  );
});

it("a value that is there twice arrives as two: an input is a tree", () => {
  const shared = { name: "twice" };
  const body = JSON.parse(JSON.stringify(superjson.serialize({ one: shared, two: shared })));
  const arrived = transformer.input.deserialize(body) as { one: object; two: object };
  expect(arrived).toEqual({ one: shared, two: shared });
  expect(arrived.one).not.toBe(arrived.two);
});

it("an output carries what superjson can", () => {
  const sent = { at: new Date(0), pattern: /x/g, names: new Set(["a"]), big: 2n ** 70n };
  expect(transformer.output.deserialize(JSON.parse(JSON.stringify(transformer.output.serialize(sent))))).toEqual(sent);
});
