/** Child processes: our pinned Node, the tools of node_modules, and signals that reach them. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

const pinnedNode = join(root, "node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node");
const pinnedNodeFirst = {
  ...process.env,
  PATH: [dirname(pinnedNode), join(root, "node_modules/.bin"), process.env.PATH].join(delimiter),
};

/** The commands that we use, and the package that each comes from. */
const packageOf = {
  biome: "@biomejs/biome",
  knip: "knip",
  lingui: "@lingui/cli",
  "react-router": "@react-router/dev",
  stryker: "@stryker-mutator/core",
  tsc: "typescript",
  tsdown: "tsdown",
  vite: "vite",
  vitest: "vitest",
};

/**
 * Runs a tool of node_modules with the pinned Node.
 *
 * @param {keyof typeof packageOf} tool
 * @param {string[]} args
 * @param {{ stream?: boolean, from?: string, env?: Readonly<Record<string, string>> }} [options] `stream` shows the output
 *   while it comes, instead of keeping it for the answer; `from` is the package of ours that has the tool, if it is not the
 *   root; `env` is added to ours
 */
export function runTool(tool, args, { stream = false, from = ".", env = {} } = {}) {
  const folder = join(root, from, "node_modules", packageOf[tool]);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const script = typeof bin === "string" ? bin : bin[tool];
  return run(pinnedNode, [join(folder, script), ...args], { stream, env: { ...pinnedNodeFirst, ...env } });
}

/**
 * Runs our own code with the pinned Node in this terminal, and answers its exit code.
 *
 * @param {string[]} args
 */
export async function become(args) {
  const { code } = await run(pinnedNode, args, { stream: true, env: pinnedNodeFirst });
  return code;
}

/**
 * @param {string} file
 * @param {string[]} args
 * @param {{ stream: boolean, env?: NodeJS.ProcessEnv, shell?: boolean }} options
 * @returns {Promise<{ code: number, output: string }>} `output` is empty when it was streamed
 */
export function run(file, args, { stream, env = process.env, shell = false }) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: root, env, shell, stdio: stream ? "inherit" : ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const pipe of [child.stdout, child.stderr]) pipe?.setEncoding("utf8").on("data", (text) => (output += text));
    const stopForwarding = forwardSignals(child);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      stopForwarding();
      resolve({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), output });
    });
  });
}

/** @param {import("node:child_process").ChildProcess} child */
function forwardSignals(child) {
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    // Ctrl-C reaches the child from the terminal itself; a second SIGINT would look like an impatient user.
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    child.kill(signal);
  };
  /** @type {NodeJS.Signals[]} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  // npm answers SIGTERM by ending only the shell between itself and us: that our parent is gone is how we get to know.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill("SIGTERM");
  }, 500);
  return () => {
    clearInterval(watch);
    for (const signal of signals) process.off(signal, forward);
  };
}
