import type { AccountId } from "@countersign/shared/schemas";
import type { Caller, Deps } from "../../deps.ts";
import type { SessionSelection } from "../../store/sessions.ts";
import { type AuditKind, recordAudit } from "../audit.ts";
import { revokeInTransaction } from "./revoke-in-transaction.ts";

/**
 * Ends sessions. When it returns, nothing that was issued from them is good on this node. Ending what has ended is no
 * error: the answer is 0.
 */
export async function revoke(
  deps: Deps,
  selection: SessionSelection,
  why: {
    /** `signed_out`, `reuse_detected`, `account_disabled`, … */
    readonly reason: string;
    readonly caller: Caller;
    readonly actorId?: AccountId | null;
    readonly audit?: AuditKind;
  },
): Promise<number> {
  const revoked = await deps.db.transaction().execute(async (trx) => {
    const ended = await revokeInTransaction(trx, selection, { now: deps.now(), reason: why.reason });
    for (const { id: sessionId, account_id: accountId } of ended) {
      const details = { reason: why.reason };
      const { audit: kind = "session_revoked", actorId = null, caller } = why;
      await recordAudit(deps, trx, { kind, sessionId, accountId, actorId, details }, caller);
    }
    return ended;
  });
  await deps.feed.catchUp();
  return revoked.length;
}
