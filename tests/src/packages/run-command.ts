import { execFile } from "node:child_process";

/** What a command left behind. */
export interface Finished {
  readonly code: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

/** Runs a command to its end. A code other than 0 is an answer, not an error. */
export function runCommand(file: string, args: readonly string[], cwd: string): Promise<Finished> {
  return new Promise((resolve) => {
    let output = "";
    // npm tells its scripts where their package is; a tool that we start in another folder must not believe it.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== "npm_config_local_prefix"));
    const child = execFile(file, args, { cwd, env, maxBuffer: 64 * 1024 * 1024 }, (error) => {
      if (error !== null && child.exitCode === null) output += `\n${error.message}`;
      resolve({ code: child.exitCode ?? 1, output });
    });
    for (const pipe of [child.stdout, child.stderr]) {
      pipe?.on("data", (text) => {
        output += text;
      });
    }
  });
}
