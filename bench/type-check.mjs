/**
 * What our types cost an application's type-check: the same application of 200 procedures, with Countersign and with a
 * sign-in by hand, against our declarations as they are published. What is left of a difference is tRPC's `.concat()`, once
 * an application: a guard by hand that is put on by it costs the same. Run it with `npm run bench:types`.
 */
import { join } from "node:path";
import { ensureBuilt } from "../scripts/build.mjs";
import { root, runTool } from "../scripts/process.mjs";
import { generate, procedures, variants } from "./type-check/generate.mjs";

/** The most that the check with us may take of the check without (DESIGN.md §11). */
const limit = 1.1;
const runs = 15;
const figures = ["Instantiations", "Types", "Files", "Memory used", "Check time", "Total time"];

/** Where our packages and their peers are found by their names, as in an application's node_modules. */
const folderOf = (/** @type {string} */ variant) => join(root, "tests/node_modules/.bench-types", variant);

/** @returns {Promise<number>} the exit code */
export async function benchTypes() {
  if (!(await ensureBuilt())) return 1;
  /** @type {Record<string, number>[]} */
  const without = [];
  /** @type {Record<string, number>[]} */
  const withUs = [];
  for (const [variant, own] of Object.entries(variants)) generate(folderOf(variant), own);
  // Interleaved, so that what else the machine does meets both alike; the first of each only warms the file cache.
  for (let run = 0; run <= runs; run += 1) {
    for (const [variant, seen] of /** @type {const} */ ([
      ["without", without],
      ["with", withUs],
    ])) {
      const measured = await measure(variant);
      if (measured === null) return 1;
      if (run > 0) seen.push(measured);
    }
  }
  return report(without, withUs);
}

/**
 * @param {string} variant
 * @returns {Promise<Record<string, number> | null>} `null` when the application does not compile
 */
async function measure(variant) {
  // One thread: with several, what is instantiated twice depends on luck.
  const args = ["-p", folderOf(variant), "--extendedDiagnostics", "--singleThreaded", "--pretty", "false"];
  const { code, output } = await runTool("tsc", args);
  if (code !== 0) {
    console.error(output);
    return null;
  }
  return Object.fromEntries(
    figures.map((figure) => [figure, Number(new RegExp(`^${figure}: +([\\d.]+)`, "m").exec(output)?.[1])]),
  );
}

/**
 * @param {Record<string, number>[]} without
 * @param {Record<string, number>[]} withUs
 */
function report(without, withUs) {
  console.log(`${procedures} procedures, ${runs} runs each, medians:\n`);
  const rows = figures.map((figure) => {
    const before = median(without, figure);
    const after = median(withUs, figure);
    return { figure, without: before, "with us": after, ratio: Number((after / before).toFixed(3)) };
  });
  console.table(Object.fromEntries(rows.map(({ figure, ...row }) => [figure, row])));
  const ratioOf = (/** @type {string} */ name) => rows.find(({ figure }) => figure === name)?.ratio ?? Number.NaN;
  console.log(`A type-check with us takes ${ratioOf("Total time")} of the time without.`);
  // What is counted is the same on every machine; the clock of one that does other things is off by more than the limit.
  const ratio = ratioOf("Instantiations");
  console.log(`It instantiates ${ratio} of the types; at most ${limit} is allowed.`);
  return ratio <= limit ? 0 : 1;
}

/**
 * @param {Record<string, number>[]} seen
 * @param {string} figure
 */
function median(seen, figure) {
  const values = seen.map((measured) => measured[figure] ?? Number.NaN).sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? Number.NaN;
}
