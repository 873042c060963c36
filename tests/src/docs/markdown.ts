/** Reads what a test needs from a Markdown file. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The folder that everything is in. */
export const root = fileURLToPath(new URL("../../../", import.meta.url));

export interface CodeBlock {
  readonly language: string;
  readonly code: string;
  /** The comment in the line above, as in `<!-- file src/auth.ts -->`; empty without one. */
  readonly note: string;
}

/** A file of the repository. */
export function read(path: string): string {
  return readFileSync(`${root}${path}`, "utf8");
}

/** The fenced code blocks of a text, in order. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const fenced = /(?:<!-- (?<note>[^>]*?) -->\n)?```(?<language>\w+)\n(?<code>[\s\S]*?)```/g;
  return [...markdown.matchAll(fenced)].map(({ groups: { language = "", code = "", note = "" } = {} }) => ({
    language,
    code,
    note,
  }));
}

/** The rows of the table under a heading, each as its cells; without the header. */
export function tableRows(markdown: string, heading: string): string[][] {
  const section = markdown.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}
