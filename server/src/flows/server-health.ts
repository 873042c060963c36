import type { Health } from "@countersign/shared/schemas";
import type { Deps } from "../deps.ts";
import { dialectOf } from "../store/dialect.ts";
import { version } from "../version.ts";
import { proveWritable } from "./prove-writable.ts";

/** How this node is doing, for the people who run it. */
export async function serverHealth(deps: Deps): Promise<Health> {
  const { db, feed, hasher, now, startedAt } = deps;
  const begun = now();
  const writeMs = await proveWritable(deps).then(
    () => now() - begun,
    () => null,
  );
  return {
    version,
    startedAt: new Date(startedAt),
    database: { dialect: dialectOf(db).name, writeMs },
    feed: { ageMs: feed.age(), isStale: feed.isStale(), subscriptions: feed.listeners() },
    hashes: hasher.load(),
  };
}
