/** `npm run test:mutation`: changes the code where it refuses, bit by bit, and sees whether a test falls. Hours of work. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root, run, runTool } from "./process.mjs";
import { step } from "./step.mjs";

/** A place of its own, as nothing else needs it: whoever starts the server should not wait for it. */
const home = "tests/mutation";

/**
 * Mutates in place, and puts everything back; commit before. What was found is kept in `.stryker`, so that the next run goes
 * on where this one was stopped.
 *
 * What runs while a module is loaded, as what a procedure demands, needs modules that are loaded anew for each change, which takes four
 * times as long. Of what runs then and later, too, a change may seem to survive without.
 *
 * @param {string[]} args For StrykerJS, as in `--mutate server/src/trpc/guards.ts`; and `--static`, for what runs while a module is loaded.
 */
export async function testMutation(args) {
  if (!(await ensureInstalled())) return 1;
  const withStatic = args.includes("--static");
  const ofStryker = [...args.filter((arg) => arg !== "--static"), ...(withStatic ? [] : ["--ignoreStatic"])];
  const { code } = await runTool("stryker", ["run", `${home}/stryker.config.json`, ...ofStryker], {
    from: home,
    stream: true,
    env: { COUNTERSIGN_STATIC_MUTANTS: withStatic ? "1" : "0" },
  });
  return code;
}

async function ensureInstalled() {
  const wanted = join(root, home, "pnpm-lock.yaml");
  const installed = join(root, home, "node_modules/.pnpm/lock.yaml");
  if (existsSync(installed) && readFileSync(installed, "utf8") === readFileSync(wanted, "utf8")) return true;
  const args = ["--yes", "pnpm@12", "--dir", home, "install", "--ignore-workspace", "--frozen-lockfile"];
  return step("Installing StrykerJS", () => run("npx", args, { stream: false, shell: process.platform === "win32" }), {
    hint: `If its lockfile does not match its package.json, run \`npx pnpm@12 --dir ${home} install --ignore-workspace\`.`,
  });
}
