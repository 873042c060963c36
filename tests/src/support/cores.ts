/** Where a measurement has a core for each side, so that they do not wait for each other. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

export const hasCores = availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

/** Keeps a process, with all of its threads, to one core: the first, the second, … */
export function keepToCore(pid: number | undefined, core: number): void {
  if (!hasCores || pid === undefined) return;
  const { status, stderr } = spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", String(core), String(pid)]);
  if (status !== 0) throw new Error(`taskset ended with ${status}: ${stderr}`);
}

/**
 * How long other machines on the same hardware have kept this one from running, in milliseconds of all cores together since it
 * started; `NaN` where the system does not say (proc_stat(5): "steal", in hundredths of a second).
 */
export function stolenMs(): number {
  if (process.platform !== "linux") return Number.NaN;
  const [, , , , , , , , stolen] = readFileSync("/proc/stat", "utf8").split("\n", 1)[0]?.split(/ +/) ?? [];
  return Number(stolen) * 10;
}
