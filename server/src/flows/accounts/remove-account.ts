import type { AccountId } from "@countersign/shared/schemas";
import type { Caller, Db, Deps } from "../../deps.ts";
import { forgetDeletion } from "../../store/account-deletions.ts";
import { deleteAccount } from "../../store/accounts.ts";
import { appendFeedEvent } from "../../store/feed-events.ts";
import { recordAudit } from "../audit.ts";
import { revokeInTransaction } from "../sessions/revoke-in-transaction.ts";

/** Removes an account for good, and ends its sessions, in a transaction. Returns whether there was one. */
export async function removeInTransaction(
  deps: Deps,
  trx: Db,
  id: AccountId,
  by: { readonly actorId: AccountId | null; readonly caller: Caller },
): Promise<boolean> {
  const now = deps.now();
  if (!(await deleteAccount(trx, id))) return false;
  await forgetDeletion(trx, id);
  await revokeInTransaction(trx, { accountId: id }, { now, reason: "account_removed" });
  await appendFeedEvent(trx, { kind: "account_changed", subject: id, version: Number.MAX_SAFE_INTEGER }, now);
  await recordAudit(deps, trx, { kind: "account_removed", accountId: id, actorId: by.actorId }, by.caller);
  return true;
}
