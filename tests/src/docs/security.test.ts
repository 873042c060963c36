import { existsSync, globSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { read, root, tableRows } from "./markdown.ts";

const security = read("docs/security.md");
const headings = ["Tokens", "Guessing", "Requests", "Faults"];
const rows = headings.flatMap((heading) => tableRows(security, heading));

/** `attack/tokens` is a test from outside; `server engine/feed` one beside the code, wherever in that package. */
function isTest(name: string): boolean {
  const [inner, outer] = name.split(" ").reverse();
  if (outer === undefined) return existsSync(`${root}tests/src/${inner}.test.ts`);
  return globSync(`${outer}/src/**/${inner}.test.ts`, { cwd: root }).length > 0;
}

describe("docs/security.md", () => {
  it("has a table of each kind", () => {
    for (const heading of headings) expect(tableRows(security, heading).length, heading).toBeGreaterThan(5);
  });

  it.each(rows)("%s: says what stops it, by which clause, and in a test that is there", (_, stops, tests, clause) => {
    expect([stops, clause]).not.toContain("");
    const names = (tests ?? "").replaceAll(/\([^)]*\)/g, "").split(",");
    for (const name of names) expect(isTest(name.trim()), name).toBe(true);
  });
});
