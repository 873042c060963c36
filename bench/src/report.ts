/** The report: Markdown for people, and a picture. */
import { writeFile } from "node:fs/promises";
import { cpus, totalmem, type } from "node:os";
import { fileURLToPath } from "node:url";
import { markdownTable } from "markdown-table";
import { isHeld, type Outcome, type Ratio } from "./bench.ts";
import { chartOf } from "./chart.ts";
import { canPin } from "./pinned.ts";
import { inDigits } from "./statistics.ts";

const fileOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** Writes `results.md`, and `results.svg` beside it. */
export async function writeReport(outcomes: readonly Outcome[], facts: ReportFacts): Promise<void> {
  await writeFile(fileOf("results.md"), reportOf(outcomes, facts));
  const bars = outcomes.flatMap((outcome) => outcome.bars ?? []);
  if (bars.length > 0)
    await writeFile(fileOf("results.svg"), await chartOf("Who am I? Requests a second, one core", bars));
}

export interface ReportFacts {
  readonly command: string;
  readonly date: Date;
  /** What could not be measured here, and why. */
  readonly skipped: readonly string[];
}

function reportOf(outcomes: readonly Outcome[], { command, date, skipped }: ReportFacts): string {
  const pinning = canPin ? "servers on one core, load on the other" : "nothing is pinned to a core here";
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model ?? "an unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()}, Node ${process.version}`;
  return [
    "# What was measured",
    `${date.toISOString().slice(0, 10)}, \`${command}\`, on ${machine}; ${pinning}. Each figure is the median of rounds that took turns, with the middle half of them in brackets. How it is done, and what was found by it, is in [notes.md](notes.md).`,
    ...skipped.map((why) => `Skipped: ${why}.`),
    "![Requests a second of each system](results.svg)",
    ...outcomes.flatMap(({ table }) => [`## ${table.title}`, table.text, tableOf(table.head, table.rows)]),
    "## Limits",
    "The ratios of one run that the design holds itself to. `npm run bench:gate` fails when one does not hold.",
    limitsOf(outcomes.flatMap(({ ratios }) => ratios)),
  ]
    .join("\n\n")
    .concat("\n");
}

export function limitsOf(ratios: readonly Ratio[]): string {
  return tableOf(
    ["work", "limit", "measured", ""],
    ratios.map((ratio) => [
      ratio.work,
      `${ratio.isLeast ? "≥" : "≤"} ${ratio.limit}`,
      inDigits(ratio.measured),
      isHeld(ratio) ? "holds" : "**does not hold**",
    ]),
  );
}

export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return markdownTable([[...head], ...rows.map((row) => [...row])]);
}
