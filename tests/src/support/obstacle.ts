import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The file of what the tests have installed: `installed(".bin/deno")`. */
export function installed(path: string): string {
  return fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));
}

/** Why a command cannot be run on this machine; `null` when it can. Skip tests with it, and it is printed. */
export function obstacle(command: string): string | null {
  try {
    execFileSync(command, ["--version"], { stdio: "pipe", timeout: 20_000 });
    return null;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "unknown") : String(error);
  }
}
