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
  const seen = await compareTypes({ without: variants.without, with: variants.with }, runs);
  return report(seen.without, seen.with);
}

/**
 * Checks the applications in turn, so that what else the machine does meets all alike.
 *
 * @template {string} Name
 * @param {Record<Name, Record<string, string>>} applications the files that are each one's own
 * @param {number} times how often; the first of each only warms the file cache
 * @returns {Promise<Record<Name, Record<string, number>[]>>}
 * @throws {Error} with the compiler's words, when one does not compile
 */
export async function compareTypes(applications, times) {
  const names = /** @type {Name[]} */ (Object.keys(applications));
  const seen = /** @type {Record<Name, Record<string, number>[]>} */ ({});
  for (const name of names) seen[name] = [];
  for (const name of names) generate(folderOf(name), applications[name]);
  for (let run = 0; run <= times; run += 1) {
    for (const name of names) {
      const measured = await measure(name);
      if (run > 0) seen[name].push(measured);
    }
  }
  return seen;
}

/**
 * @param {string} variant
 * @returns {Promise<Record<string, number>>}
 */
async function measure(variant) {
  // One thread: with several, what is instantiated twice depends on luck.
  const args = ["-p", folderOf(variant), "--extendedDiagnostics", "--singleThreaded", "--pretty", "false"];
  const { code, output } = await runTool("tsc", args);
  if (code !== 0) throw new Error(`The application "${variant}" does not compile:\n${output}`);
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
export function median(seen, figure) {
  const values = seen.map((measured) => measured[figure] ?? Number.NaN).sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? Number.NaN;
}
