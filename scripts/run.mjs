/**
 * What stands behind `npm start`, `npm test` and the rest. It runs on any Node >= 20 with nothing installed: it installs
 * what the workspace needs, and then runs every tool with the Node that the workspace pins.
 */
import { benchTypes } from "../bench/type-check.mjs";
import { build, buildPages, ensureBuilt } from "./build.mjs";
import { ensureInstalled } from "./install.mjs";
import { testMutation } from "./mutation.mjs";
import { become, runTool } from "./process.mjs";
import { check, fix, test, testAttack, testFaults } from "./test.mjs";

const serverSource = "server/src/cli/main.ts";
const serverBuilt = "server/bin/countersign.js";
/** Where `examples/notes/src/tour.ts` looks for it. */
const tourServer = "http://localhost:3000";
const fromSource = "--conditions=@countersign/source";

/** @type {Record<string, (args: string[]) => Promise<number>>} Each answers the exit code. */
const commands = {
  async start(args) {
    if (!(await ensureBuilt())) return 1;
    return become([serverBuilt, "serve", ...args]);
  },
  async countersign(args) {
    if (!(await ensureBuilt())) return 1;
    return become([serverBuilt, ...args]);
  },
  notes(args) {
    return become([fromSource, "examples/notes/src/main.ts", ...args]);
  },
  spa(args) {
    return become([fromSource, "examples/react-spa/src/dev.ts", ...args]);
  },
  async ssr(args) {
    if (!(await buildPages())) return 1;
    return become([fromSource, "examples/react-ssr/dist/server/index.js", ...args]);
  },
  async tour() {
    if (await answers(tourServer)) return become([fromSource, "examples/notes/src/tour.ts"]);
    console.error(`Nothing answers at ${tourServer}. Run npm start in another terminal, and then the tour again.`);
    return 1;
  },
  dev(args) {
    return become(["--watch", "--watch-preserve-output", fromSource, serverSource, "serve", ...args]);
  },
  test,
  "test:attack": testAttack,
  "test:faults": testFaults,
  "test:mutation": testMutation,
  check,
  fix,
  record: (args) => become([fromSource, "tests/src/releases/record.ts", ...args]),
  bench: (args) => measure("run.ts", args),
  "bench:gate": (args) => measure("gate.ts", args),
  "bench:types": benchTypes,
  "bench:scale": (args) => become([fromSource, "bench/scale.ts", ...args]),
  async screenshots() {
    if (!(await ensureBuilt())) return 1;
    return become([fromSource, "tests/src/screenshots.ts"]);
  },
  async texts() {
    const { code } = await runTool("lingui", ["extract", "--config", "web/lingui.config.ts"], {
      from: "web",
      stream: true,
    });
    return code;
  },
  async build() {
    return (await build()) ? 0 : 1;
  },
};

const [name = "", ...args] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) {
  console.error(`Usage: node scripts/run.mjs ${Object.keys(commands).join(" | ")}`);
  process.exitCode = 2;
} else {
  process.exitCode = (await ensureInstalled()) ? await command(args) : 1;
}

/**
 * Measures the packages as they are built, since that is what is run.
 *
 * @param {string} file
 * @param {string[]} args
 */
async function measure(file, args) {
  return (await ensureBuilt()) ? become([`bench/${file}`, ...args]) : 1;
}

/** @param {string} url Whether anything answers there. */
async function answers(url) {
  try {
    await fetch(`${url}/healthz`);
    return true;
  } catch {
    return false;
  }
}
