import type { Deps } from "../deps.ts";
import { findDeletions, listDueDeletions } from "../store/account-deletions.ts";
import { findAccountById } from "../store/accounts.ts";
import { countAttempts, deleteEndedAttempts } from "../store/attempts.ts";
import { deleteOldAuditEvents } from "../store/audit-events.ts";
import { pruneFeed } from "../store/feed-events.ts";
import { deleteEndedSessions } from "../store/sessions.ts";
import { deleteOldTallies } from "../store/tallies.ts";
import { transact } from "../store/transact.ts";
import { removeInTransaction } from "./accounts/remove-account.ts";
import { itself } from "./audit.ts";
import { rotateKeyIfDue } from "./keys/rotate-key.ts";
import { seeOwnWrite } from "./see-own-write.ts";

/** Rows a statement: small enough that nobody waits for the lock. */
const batch = 500;
/** Not the HMAC of anything, so no attempt is ever counted by it. */
const turnKey = "whose turn it is to keep house";

/** Keeps house, unless another node does so in the same interval: of all that come, the first. */
export async function keepHouseInTurn(deps: Deps, intervalMs: number): Promise<void> {
  const { db, now } = deps;
  // A little less: who kept house last time must not come too early by the length of a statement.
  const { count } = await countAttempts(db, { key: turnKey, now: now(), windowMs: intervalMs * 0.9 });
  if (count === 1) await keepHouse(deps);
}

/** Makes the next signing key when it is due, and removes what has ended. Safe to run on several nodes at once. */
export async function keepHouse(deps: Deps): Promise<void> {
  const { db, now, settings } = deps;
  await rotateKeyIfDue(deps);
  await deps.keys.prune();
  await inBatches(() => pruneFeed(db, now() - feedHorizonMs(settings), batch));
  await inBatches(() => deleteEndedSessions(db, now() - settings.endedSessionRetentionSeconds * 1_000, batch));
  await inBatches(() => deleteEndedAttempts(db, now(), batch));
  await inBatches(() => deleteOldTallies(db, now() - settings.auditRetentionSeconds * 1_000, batch));
  await inBatches(() => removeWhatWasToBeDeleted(deps));
  await inBatches(() => deleteOldAuditEvents(db, now() - settings.auditRetentionSeconds * 1_000, batch));
}

/** Each in a transaction of its own: what was changed meanwhile by its owner, who keeps it, is not deleted. */
async function removeWhatWasToBeDeleted(deps: Deps): Promise<number> {
  const { db, now } = deps;
  const ids = await listDueDeletions(db, now(), batch);
  for (const id of ids) {
    await transact(db, async (trx) => {
      const deleteAt = (await findDeletions(trx, [id])).get(id);
      const account = await findAccountById(trx, id);
      if (deleteAt === undefined || deleteAt > now() || account?.disabled_at !== null) return;
      await removeInTransaction(deps, trx, id, { actorId: null, caller: itself });
    });
  }
  if (ids.length > 0) await seeOwnWrite(deps);
  return ids.length;
}

/** How long a fact of the feed matters: as long as an access token from before it may live, and a margin for clocks. */
export function feedHorizonMs(settings: Deps["settings"]): number {
  return (settings.accessTtlSeconds + settings.clockToleranceSeconds + 60) * 1_000;
}

async function inBatches(deleteSome: () => Promise<number>): Promise<void> {
  while ((await deleteSome()) === batch);
}
