import type { AccountId } from "@countersign/shared/schemas";
import type { Caller, Deps } from "../../deps.ts";
import { appendFeedEvent } from "../../store/feed-events.ts";
import { revoke } from "../sessions/revoke.ts";

/** Tells every node that an account of the application's own table has moved on to a version. */
export async function announceAccountChange(
  deps: Deps,
  account: { readonly id: AccountId; readonly version: number; readonly endSessions: boolean },
  caller: Caller,
): Promise<void> {
  const { id, version, endSessions } = account;
  await appendFeedEvent(deps.db, { kind: "account_changed", subject: id, version }, deps.now());
  if (endSessions) await revoke(deps, { accountId: id }, { reason: "ended_by_application", caller });
  else await deps.feed.catchUp();
}
