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

const refused: readonly (readonly [what: string, body: unknown, message: RegExp])[] = [
  ["no envelope", { username: "alice" }, /superjson envelope/],
  ["an array", [{ json: 1 }], /superjson envelope/],
  ["meta that is no object", { json: 1, meta: [] }, /"meta" must be an object/],
  ["annotations that are a text", { json: 1, meta: { values: "Date" } }, /malformed type annotations/],
  ...["regexp", "Error", "URL", "number", "symbol", "constructor", ["class", "x"], ["custom", "x"], 7, null].map(
    (type) =>
      [
        `the type ${JSON.stringify(type)}`,
        { json: { a: "/a/" }, meta: { values: { a: [type] } } },
        /type that is not/,
      ] as const,
  ),
  [
    "a type inside a map",
    { json: [["k", "/a/"]], meta: { values: ["map", { "0.1": ["regexp"] }] } },
    /type that is not/,
  ],
  [
    "1,001 annotations",
    {
      json: {},
      meta: { values: Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [index, ["undefined"]])) },
    },
    /too many/,
  ],
  [
    "annotations 40 deep",
    { json: {}, meta: { values: Array.from({ length: 40 }).reduce((tree) => ({ a: tree }), ["undefined"]) } },
    /too many/,
  ],
  ["a path to a prototype", { json: {}, meta: { values: { "__proto__.x": ["Date"] }, v: 1 } }, /not valid superjson/],
  ["a bigint that is none", { json: "x", meta: { values: ["bigint"] } }, /not valid superjson/],
];

it.each(refused)("%s is refused before anything is built, with its sentence", (_, body, message) => {
  const arrives = () => transformer.input.deserialize(JSON.parse(JSON.stringify(body)));
  expect(arrives).toThrow(AuthError);
  expect(arrives).toThrow(message);
});

it("as many annotations as a large form has are taken", () => {
  const dates = Array.from({ length: 900 }, (_, index) => new Date(index));
  const body = JSON.parse(JSON.stringify(transformer.input.serialize(dates)));
  expect(transformer.input.deserialize(body)).toEqual(dates);
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
