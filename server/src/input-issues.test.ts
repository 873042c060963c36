import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readIssues, toSentence } from "./input-issues.ts";

const schema = z.strictObject({
  title: z.string().max(5),
  count: z.int().min(1).optional(),
  tags: z.array(z.string()).max(1).optional(),
  due: z.date().optional(),
  nested: z.object({ name: z.string({ error: '"name" must be a name' }) }).optional(),
  kind: z.enum(["a", "b"]).optional(),
});
const sentences = (input: unknown) => readIssues(schema.safeParse(input).error?.issues ?? []).map(toSentence);

describe("what is wrong with an input", () => {
  it.each<[input: unknown, ...sentences: string[]]>([
    [{ title: "x" }],
    [undefined, "The input is missing"],
    ["x", "The input must be an object"],
    [{}, '"title" is missing'],
    [{ title: 1 }, '"title" must be a string'],
    [{ title: "too long" }, '"title" must have at most 5 characters'],
    [{ title: "x", count: 0 }, '"count" must be at least 1'],
    [{ title: "x", tags: ["a", "b"] }, '"tags" must have at most 1 items'],
    [{ title: "x", due: new Date(Number.NaN) }, '"due" must be a date'],
    [{ title: "x", nested: { name: 1 } }, '"nested.name": "name" must be a name'],
    [{ title: "x", kind: "c" }, '"kind": Invalid option: expected one of "a"|"b"'],
    [{ title: "x", a: 1, b: 2 }, 'The input has fields that are not known: "a", "b"'],
  ])("%j", (input, ...expected) => {
    expect(sentences(input)).toEqual(expected);
  });

  it("is told for twenty things at most: once 20,000 wrong members got a reply of a megabyte", () => {
    expect(readIssues(z.array(z.string()).safeParse(Array(20_000).fill(1)).error?.issues ?? [])).toHaveLength(20);
  });

  it("has a path that is read from validators other than zod too: once it was [object Object]", () => {
    const found = [{ message: "Bad", path: [{ key: "tags" }, { key: 0 }] }];
    expect(readIssues(found)).toEqual([{ path: ["tags", 0], message: "Bad" }]);
  });
});
