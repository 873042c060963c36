import type { AuditKind } from "@countersign/shared/schemas";
import { newId } from "../crypto/id.ts";
import type { Caller, Db, Deps } from "../deps.ts";
import { insertAuditEvent } from "../store/audit-events.ts";

/** Something that happened. `actorId` where somebody else did it; `details` never hold a secret. */
export interface AuditEvent {
  readonly kind: AuditKind;
  readonly accountId?: string | null;
  readonly sessionId?: string | null;
  readonly actorId?: string | null;
  readonly details?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/** Who does what nobody asked for: the program. */
export const itself: Caller = { address: null, userAgent: null, requestId: null };

/** Writes an audit row. Give it the transaction of what happened, so that one is never there without the other. */
export async function recordAudit(deps: Deps, db: Db, event: AuditEvent, caller: Caller): Promise<void> {
  const at = deps.now();
  await insertAuditEvent(db, {
    id: newId(at, deps.randomBytes(16)),
    at,
    kind: event.kind,
    account_id: event.accountId ?? null,
    session_id: event.sessionId ?? null,
    actor_id: event.actorId ?? null,
    address: caller.address,
    user_agent: caller.userAgent,
    request_id: caller.requestId,
    details: JSON.stringify(event.details ?? {}),
  });
}
