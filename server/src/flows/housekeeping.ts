import type { Deps } from "../deps.ts";
import { deleteEndedAttempts } from "../store/attempts.ts";
import { deleteOldAuditEvents } from "../store/audit-events.ts";
import { pruneFeed } from "../store/feed-events.ts";
import { deleteEndedSessions } from "../store/sessions.ts";
import { rotateKeyIfDue } from "./keys/rotate-key.ts";

/** Rows a statement: small enough that nobody waits for the lock. */
const batch = 500;
/** An ended session stays this long, so that its last refresh token still gets an answer that says why. */
const endedSessionRetentionMs = 7 * 24 * 3_600_000;

/** Makes the next signing key when it is due, and removes what has ended. Safe to run on several nodes at once. */
export async function keepHouse(deps: Deps): Promise<void> {
  const { db, now, settings } = deps;
  await rotateKeyIfDue(deps);
  await deps.keys.prune();
  await pruneFeed(db, now() - feedHorizonMs(settings));
  await inBatches(() => deleteEndedSessions(db, now() - endedSessionRetentionMs, batch));
  await inBatches(() => deleteEndedAttempts(db, now(), batch));
  await inBatches(() => deleteOldAuditEvents(db, now() - settings.auditRetentionSeconds * 1_000, batch));
}

/** How long a fact of the feed matters: as long as an access token from before it may live, and a margin for clocks. */
export function feedHorizonMs(settings: Deps["settings"]): number {
  return (settings.accessTtlSeconds + settings.clockToleranceSeconds + 60) * 1_000;
}

async function inBatches(deleteSome: () => Promise<number>): Promise<void> {
  while ((await deleteSome()) === batch);
}
