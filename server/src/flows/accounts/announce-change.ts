import { AccountId } from "@countersign/shared/schemas";
import { z } from "zod";
import type { Caller, Deps } from "../../deps.ts";
import { sentencesOf } from "../../input-issues.ts";
import { appendFeedEvent } from "../../store/feed-events.ts";
import { transact } from "../../store/transact.ts";
import { seeOwnWrite } from "../see-own-write.ts";
import { revokeAndRecord } from "../sessions/revoke.ts";

const Change = z.object({ id: AccountId, version: z.int().min(0), endSessions: z.boolean().default(false) });

/**
 * Tells every node that an account of the application's own table has moved on to a version, and ends its sessions where
 * that is asked for, in one transaction.
 *
 * @throws {TypeError} when the change is not one: it would revoke nothing, and nobody would know.
 */
export async function announceAccountChange(deps: Deps, change: z.input<typeof Change>, caller: Caller): Promise<void> {
  const { data, error } = Change.safeParse(change);
  if (error) {
    throw new TypeError(`accountChanged: ${sentencesOf(error).join("; ")}`);
  }
  const { id, version, endSessions } = data;
  await transact(deps.db, async (trx) => {
    await appendFeedEvent(trx, { kind: "account_changed", subject: id, version }, deps.now());
    if (!endSessions) return;
    await revokeAndRecord({ ...deps, db: trx }, { accountId: id }, { reason: "ended_by_application", caller });
  });
  await seeOwnWrite(deps);
}
