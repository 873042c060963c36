/** A folder of its own with the real command in it: `countersign` as an operator runs it, from the source. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { collect, kill, type Server, serverOf } from "./server-process.ts";

// Each command is a process of its own, and tests run beside others.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** Every run loads the same files from their source. */
const compileCache = fileURLToPath(new URL("../../node_modules/.cache/compiled", import.meta.url));
const command = fileURLToPath(new URL("../../../server/src/cli/main.ts", import.meta.url));

/** What a command left behind. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Variables = Readonly<Record<string, string>>;

interface RunOptions {
  readonly env?: Variables;
  readonly input?: string;
  readonly typed?: readonly { readonly after: string; readonly line: string }[];
}

export interface Workplace extends AsyncDisposable {
  /** A path in the folder. */
  at(...path: string[]): string;
  /** Runs a command to its end, with `input` piped in, or with lines `typed` as if at a terminal, each after its prompt. */
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Begins a command that can be broken off. */
  begin(args: readonly string[], options?: RunOptions): { signal(name: NodeJS.Signals): void; ended: Promise<Outcome> };
  /** Runs a command that has to succeed with `--json`, and returns what it printed. */
  json(args: readonly string[], options?: { env?: Variables; input?: string }): Promise<unknown>;
  /** Serves on a free port, and waits until it listens. Stops with the workplace. */
  serve(env?: Variables): Promise<Server>;
  /** Reads the database's file behind the back of everyone. */
  query(sql: string): Record<string, unknown>[];
}

/** The password of everyone in these tests. */
export const password = "correct horse battery staple";

/** Makes a workplace. Ends with its block: `await using place = workplace()`. */
export function workplace(): Workplace {
  const folder = mkdtempSync(join(tmpdir(), "countersign-cli-"));
  const running = new Set<ChildProcessWithoutNullStreams>();

  const start = (
    args: readonly string[],
    { env = {}, terminal = false }: { env?: Variables; terminal?: boolean } = {},
  ) => {
    const flags = ["--conditions=@countersign/source", "--disable-warning=ExperimentalWarning"];
    if (terminal) flags.push("--import=data:text/javascript,process.stdin.isTTY=true");
    // Nothing of this machine's environment but what programs need to run at all.
    const { PATH = "", SystemRoot = "" } = process.env;
    const own = { PATH, SystemRoot, NODE_COMPILE_CACHE: compileCache };
    const child = spawn(process.execPath, [...flags, command, ...args], {
      cwd: folder,
      env: { ...own, ...env },
    });
    running.add(child);
    child.once("close", () => running.delete(child));
    return child;
  };

  const begin: Workplace["begin"] = (args, { env = {}, input, typed } = {}) => {
    const child = start(args, { env, terminal: typed !== undefined });
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    // A command that wants no input may be gone before it comes.
    child.stdin.on("error", () => {});
    if (typed === undefined) child.stdin.end(input);
    else type(child, typed);
    const ended = new Promise<Outcome>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, stdout: stdout(), stderr: stderr() }));
    });
    return { ended, signal: (name) => void child.kill(name) };
  };

  const run: Workplace["run"] = (args, options) => begin(args, options).ended;

  return {
    at: (...path) => join(folder, ...path),
    run,
    begin,
    async json(args, options) {
      const { code, stdout, stderr } = await run([...args, "--json"], options);
      if (code !== 0) throw new Error(`countersign ${args.join(" ")} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout);
    },
    async serve(env = {}) {
      return serverOf(start(["serve"], { env: { PORT: "0", ...env } }));
    },
    query(sql) {
      using db = new DatabaseSync(join(folder, "data", "countersign.db"), { readOnly: true });
      return db.prepare(sql).all();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map(kill));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function type(child: ChildProcessWithoutNullStreams, lines: NonNullable<RunOptions["typed"]>): void {
  const waiting = [...lines];
  child.stderr.on("data", (chunk: string) => {
    const next = waiting[0];
    if (next === undefined || !chunk.includes(next.after)) return;
    waiting.shift();
    child.stdin.write(`${next.line}\n`);
  });
}
