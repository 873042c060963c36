/** Where a measurement has a core for each side, so that they do not wait for each other. */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

export const hasCores = availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

/** Keeps a process, with all of its threads, to one core: the first, the second, … */
export function keepToCore(pid: number | undefined, core: number): void {
  if (!hasCores || pid === undefined) return;
  const { status, stderr } = spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", String(core), String(pid)]);
  if (status !== 0) throw new Error(`taskset ended with ${status}: ${stderr}`);
}
