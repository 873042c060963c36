import { AuthError } from "@countersign/shared";
import type { AccountId } from "@countersign/shared/schemas";
import type { Caller, Db, Deps } from "../../deps.ts";
import { type AccountChange, changeAccount } from "../../store/accounts.ts";
import { appendFeedEvent } from "../../store/feed-events.ts";
import type { SessionSelection } from "../../store/sessions.ts";
import { transact } from "../../store/transact.ts";
import { type AuditEvent, recordAudit } from "../audit.ts";
import { seeOwnWrite } from "../see-own-write.ts";
import { revokeInTransaction } from "../sessions/revoke-in-transaction.ts";

/**
 * Changes an account, ends the sessions that the change ends, and says so in the feed and the audit, in one
 * transaction. Access tokens from before are no longer good: they ask their clients to refresh.
 *
 * @returns How many sessions were ended.
 * @throws {AuthError} `NOT_FOUND`; `INVALID_CREDENTIALS` where the account is not `at` its version any more
 */
export async function applyAccountChange(
  deps: Deps,
  id: AccountId,
  change: {
    readonly set: AccountChange;
    readonly revoke?: { readonly selection: SessionSelection; readonly reason: string };
    /** The version that a password was compared with: what was proved of an older one is worth nothing. Default: any. */
    readonly at?: number;
    /** Called in the transaction, before anything is changed: nothing is where it throws. */
    readonly check?: (trx: Db) => Promise<void>;
    readonly audit: AuditEvent;
    readonly caller: Caller;
  },
): Promise<number> {
  const revoked = await transact(deps.db, async (trx) => {
    const now = deps.now();
    await change.check?.(trx);
    const version = await changeAccount(trx, { id, version: change.at }, { ...change.set, updated_at: now });
    if (version === null) throw new AuthError(change.at === undefined ? "NOT_FOUND" : "INVALID_CREDENTIALS");
    await appendFeedEvent(trx, { kind: "account_changed", subject: id, version }, now);
    const ended = change.revoke
      ? await revokeInTransaction(trx, change.revoke.selection, { now, reason: change.revoke.reason })
      : [];
    await recordAudit(deps, trx, { ...change.audit, accountId: id }, change.caller);
    return ended.length;
  });
  await seeOwnWrite(deps);
  return revoked;
}
