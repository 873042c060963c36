import type { AccountId, Session, SessionId } from "@countersign/shared/schemas";
import type { Deps } from "../../deps.ts";
import { listLiveSessions } from "../../store/sessions.ts";

/** The live sessions of an account, the latest used first. `current` marks the one that asks. */
export async function listSessions(
  deps: Deps,
  { accountId, current }: { accountId: AccountId; current: SessionId | null },
): Promise<Session[]> {
  const rows = await listLiveSessions(deps.db, accountId, deps.now());
  return rows.map((row) => ({
    id: row.id,
    current: row.id === current,
    createdAt: new Date(row.created_at),
    lastUsedAt: new Date(row.rotated_at),
    expiresAt: new Date(row.expires_at),
    address: row.address,
    userAgent: row.user_agent,
  }));
}
