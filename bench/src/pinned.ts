/** Processes on cores of their own, where the system can say so: what a server costs is then not what its load costs. */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** Whether processes can be kept to a core: Linux with util-linux, and more than one core. */
export const canPin = availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

/** The servers' core, and the load's. */
export const cores = { server: "0", load: "1", both: "0,1" } as const;

export type Core = keyof typeof cores;

/** Starts a process on a core, or anywhere where that cannot be had. */
export function spawnOn(core: Core, command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  return canPin ? spawn("taskset", ["-c", cores[core], command, ...args], options) : spawn(command, args, options);
}
