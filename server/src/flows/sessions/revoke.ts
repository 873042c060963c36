import type { AccountId, AuditKind } from "@countersign/shared/schemas";
import type { Caller, Deps } from "../../deps.ts";
import type { SessionSelection } from "../../store/sessions.ts";
import { transact } from "../../store/transact.ts";
import { recordAudit } from "../audit.ts";
import { seeOwnWrite } from "../see-own-write.ts";
import { revokeInTransaction } from "./revoke-in-transaction.ts";

/** Why sessions end, and by whom. */
export interface Revocation {
  /** `signed_out`, `reuse_detected`, `account_disabled`, … */
  readonly reason: string;
  readonly caller: Caller;
  readonly actorId?: AccountId | null;
  readonly audit?: AuditKind;
}

/**
 * Ends sessions. When it returns, nothing that was issued from them is good on this node. Ending what has ended is no
 * error: the answer is 0.
 */
export async function revoke(deps: Deps, selection: SessionSelection, why: Revocation): Promise<number> {
  const revoked = await transact(deps.db, (trx) => revokeAndRecord({ ...deps, db: trx }, selection, why));
  await seeOwnWrite(deps);
  return revoked;
}

/** The same within a transaction (`deps.db`), with an audit row a session. */
export async function revokeAndRecord(deps: Deps, selection: SessionSelection, why: Revocation): Promise<number> {
  const { reason, caller, actorId = null, audit: kind = "session_revoked" } = why;
  const ended = await revokeInTransaction(deps.db, selection, { now: deps.now(), reason });
  for (const { id: sessionId, account_id: accountId } of ended) {
    await recordAudit(deps, deps.db, { kind, sessionId, accountId, actorId, details: { reason } }, caller);
  }
  return ended.length;
}
