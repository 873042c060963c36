import type { Db } from "../../deps.ts";
import { appendFeedEvent } from "../../store/feed-events.ts";
import type { SessionRow } from "../../store/schema.ts";
import { revokeSessions, type SessionSelection } from "../../store/sessions.ts";

/** Revokes sessions and tells every node. The caller of the transaction reads the feed once it has committed. */
export async function revokeInTransaction(
  trx: Db,
  selection: SessionSelection,
  { now, reason }: { now: number; reason: string },
): Promise<Pick<SessionRow, "id" | "account_id">[]> {
  const revoked = await revokeSessions(trx, selection, { now, reason });
  for (const { id } of revoked)
    await appendFeedEvent(trx, { kind: "session_revoked", subject: id, version: null }, now);
  return revoked;
}
