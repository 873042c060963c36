import { readEnvironment } from "@countersign/server";
import { reasons } from "@countersign/shared";
import { describe, expect, it } from "vitest";
import { codeBlocks, read, tableRows } from "./markdown.ts";

const readme = read("README.md");

describe("README", () => {
  it.each(codeBlocks(readme).filter(({ note }) => note.startsWith("file ")))(
    "shows the file as it is: $note",
    ({ note, code }) => {
      expect(code).toBe(read(note.slice("file ".length)));
    },
  );

  it("lists every reason with its status", () => {
    const listed = tableRows(readme, "Errors").map(([reason, status]) => [reason, Number(status)]);
    expect(Object.fromEntries(listed)).toEqual(
      Object.fromEntries(Object.entries(reasons).map(([reason, { status }]) => [reason, status])),
    );
  });

  it("lists only variables that are read: a bad value of each is a mistake that names it", () => {
    const bad = "\u0000 bad";
    const variables = tableRows(readme, "Configuration").map(([name = ""]) => name);
    expect(variables.length).toBeGreaterThan(10);
    const mistakes = () => readEnvironment(Object.fromEntries(variables.map((name) => [name, bad])));
    // An audience may be any text.
    for (const name of variables) if (name !== "COUNTERSIGN_AUDIENCE") expect(mistakes).toThrow(name);
  });
});
