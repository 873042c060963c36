/** Everything that judges the workspace: `npm test`, `npm run check`, `npm run fix`. */
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, ensureBuilt } from "./build.mjs";
import { runTool } from "./process.mjs";
import { step } from "./step.mjs";

const inColour = process.stdout.isTTY === true;
const projects = ["shared", "client", "server", "tests", "postgres", "packages", "alone", "notes"];

/**
 * `npm test` runs everything. `npm test -- server` runs the tests of one project in seconds, after the types; what else
 * is given goes to vitest (`npm test -- server -t refresh`).
 *
 * @param {string[]} args
 */
export async function test(args) {
  const chosen = args.filter((arg) => projects.includes(arg));
  const vitestArgs = args.filter((arg) => !projects.includes(arg));
  const everything = args.length === 0;
  const checked = everything ? await runChecks() : [await types(), await ensureBuilt()];
  return report([...checked.map(countStep), await vitest(chosen, vitestArgs)]);
}

/** `npm run check`: everything but the tests. */
export async function check() {
  return report((await runChecks()).map(countStep));
}

/** `npm run test:attack`: what `npm test` tries of attacks, and much more of it. */
export function testAttack() {
  return testAtLength(["src/attack/"]);
}

/** `npm run test:faults`: what `npm test` tries of faults, and of anything in any order, and much more of it. */
export function testFaults() {
  return testAtLength(["src/faults/", "src/properties/service-model"]);
}

/** @param {string[]} paths */
async function testAtLength(paths) {
  const built = await ensureBuilt();
  const env = { COUNTERSIGN_LONG_TESTS: "1" };
  return report([countStep(built), await vitest(["tests", "postgres", "alone"], paths, env)]);
}

/** `npm run fix`: formats, and mends what the linter can mend by itself. */
export async function fix() {
  const { code } = await runTool("biome", ["check", "--write", "--error-on-warnings"], {
    stream: true,
  });
  return code;
}

/** @typedef {{ passed: number, failed: number, skipped: number }} Count */

async function runChecks() {
  return [await lint(), await types(), await build(), await unused()];
}

function lint() {
  return step(
    "Linting",
    () => runTool("biome", ["ci", "--error-on-warnings", inColour ? "--colors=force" : "--colors=off"]),
    {
      hint: "`npm run fix` mends what can be mended by itself.",
    },
  );
}

function types() {
  return step("Checking types", () => runTool("tsc", ["--pretty", String(inColour)]), {
    hint: "The errors are above.",
  });
}

function unused() {
  return step("Looking for unused code", () => runTool("knip", ["--no-progress"]), {
    hint: "Remove what nobody uses; an entry point that knip can't see belongs in knip.json.",
  });
}

/**
 * @param {string[]} chosen
 * @param {string[]} args
 * @param {Readonly<Record<string, string>>} [env]
 * @returns {Promise<Count>}
 */
async function vitest(chosen, args, env = {}) {
  console.log("Running the tests …");
  const reportFile = join(tmpdir(), `countersign-vitest-${process.pid}.json`);
  const projectArgs = chosen.flatMap((name) => ["--project", name]);
  const reporterArgs = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
  const { code } = await runTool("vitest", ["run", ...projectArgs, ...reporterArgs, ...args], {
    stream: true,
    env,
  });
  try {
    return countTests(JSON.parse(readFileSync(reportFile, "utf8")), code);
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(reportFile, { force: true });
  }
}

/**
 * @param {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number }} results
 * @param {number} code
 * @returns {Count}
 */
function countTests({ numPassedTests, numFailedTests, numPendingTests, numTodoTests }, code) {
  // A file that could not be loaded, or an error outside of every test, fails the run without failing a test.
  const failed = code === 0 ? numFailedTests : Math.max(1, numFailedTests);
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
}

/**
 * @param {boolean} passed
 * @returns {Count}
 */
function countStep(passed) {
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
}

/**
 * Prints the closing line, and answers the exit code.
 *
 * @param {Count[]} counts
 */
function report(counts) {
  const passed = counts.reduce((sum, count) => sum + count.passed, 0);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  const skipped = counts.reduce((sum, count) => sum + count.skipped, 0);
  console.log(`\n${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`);
  return failed === 0 ? 0 : 1;
}
