import type { ActivityInput, HourOfActivity } from "@countersign/shared/schemas";
import type { Deps } from "../deps.ts";
import type { TallyKind } from "../engine/tally.ts";
import { listTallies } from "../store/tallies.ts";

const dayMs = 86_400_000;

const columnOf: Readonly<Record<TallyKind, Exclude<keyof HourOfActivity, "at">>> = {
  sign_in: "signIns",
  sign_in_failed: "failedSignIns",
  refresh: "refreshes",
};

/** How much was done in each hour of the last days, by all nodes, with what this one has counted until now. */
export async function listActivity(deps: Deps, { days }: ActivityInput): Promise<HourOfActivity[]> {
  // A database that cannot be written can still be read.
  await deps.tally.write().catch((error: unknown) => deps.log.warn({ err: error }, "counts could not be kept"));
  const hours = new Map<number, HourOfActivity>();
  for (const { began_at: at, kind, count } of await listTallies(deps.db, deps.now() - days * dayMs)) {
    const hour = hours.get(at) ?? { at: new Date(at), signIns: 0, failedSignIns: 0, refreshes: 0 };
    hours.set(at, hour);
    // A newer version counts more.
    if (Object.hasOwn(columnOf, kind)) hour[columnOf[kind as TallyKind]] += count;
  }
  return [...hours.values()];
}
