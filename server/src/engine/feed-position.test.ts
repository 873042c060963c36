import { describe, expect, it } from "vitest";
import { createFeedPosition, type FeedPosition, maxGaps } from "./feed-position.ts";

const rows = (...ids: number[]) => ids.map((id) => ({ id }));
const idsOf = (read: readonly { readonly id: number }[]) => read.map(({ id }) => id);
const gapsOf = (position: FeedPosition) => position.gaps().filter(([from]) => from > 0);

describe("a reader of the feed", () => {
  it("has nothing to come back to where ids follow each other", () => {
    const position = createFeedPosition(0, { lateMs: 1_000 });
    expect(idsOf(position.note(rows(1, 2, 3), 0))).toEqual([1, 2, 3]);
    expect([position.highest, position.settled(), gapsOf(position)]).toEqual([3, 3, []]);
  });

  it("asks for what is missing until it comes", () => {
    const position = createFeedPosition(0, { lateMs: 1_000 });
    position.note(rows(1, 4, 6), 0);
    expect([position.highest, position.settled(), gapsOf(position)]).toEqual([
      6,
      1,
      [
        [2, 3],
        [5, 5],
      ],
    ]);
    expect(idsOf(position.note(rows(3), 10))).toEqual([3]);
    expect(gapsOf(position)).toEqual([
      [2, 2],
      [5, 5],
    ]);
    expect(idsOf(position.note(rows(2, 5), 20))).toEqual([2, 5]);
    expect([position.settled(), gapsOf(position)]).toEqual([6, []]);
  });

  it("no longer asks for what no transaction can still commit", () => {
    const position = createFeedPosition(0, { lateMs: 1_000 });
    position.note(rows(2), 0);
    position.note([], 999);
    expect(gapsOf(position)).toEqual([[1, 1]]);
    position.note([], 1_000);
    expect([position.settled(), gapsOf(position)]).toEqual([2, []]);
  });

  it("reads nothing twice, also where it asks for more than is missing", () => {
    const position = createFeedPosition(0, { lateMs: 1_000 });
    const sparse = Array.from({ length: 100 }, (_, index) => 10 * (index + 1));
    expect(position.note(rows(...sparse), 0)).toHaveLength(100);
    expect(gapsOf(position)).toHaveLength(maxGaps);
    expect(position.settled()).toBe(0);
    expect(idsOf(position.note(rows(...sparse, 555), 1))).toEqual([555]);
  });

  it("joins the two that are nearest, and asks for both as long as for the younger", () => {
    const position = createFeedPosition(0, { lateMs: 1_000 });
    const missing = [...Array.from({ length: maxGaps - 1 }, (_, index) => 100 * (index + 1)), 898];
    const upTo899 = Array.from({ length: 899 }, (_, index) => index + 1).filter((id) => !missing.includes(id));
    position.note(rows(...upTo899), 0);
    expect(gapsOf(position)).toEqual(missing.map((id) => [id, id]));
    position.note(rows(901), 500);
    expect(gapsOf(position)).toEqual([...missing.slice(0, -1).map((id) => [id, id]), [898, 900]]);
    position.note([], 1_499);
    expect([position.settled(), gapsOf(position)]).toEqual([897, [[898, 900]]]);
    position.note([], 1_500);
    expect([position.settled(), gapsOf(position)]).toEqual([901, []]);
  });

  it("always asks for the same number of ranges", () => {
    const position = createFeedPosition(7, { lateMs: 1_000 });
    expect(position.gaps()).toHaveLength(maxGaps);
    position.note(rows(9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29), 0);
    expect(position.gaps()).toHaveLength(maxGaps);
  });
});
