/** The audit, as people read it. */
import { AuthError, auditKinds } from "@countersign/shared";
import type {
  AccountId,
  AuditEvent,
  AuditEventPage,
  ListEventsInput,
  ListOwnEventsInput,
  SecurityEvent,
  SecurityEventPage,
  SessionId,
} from "@countersign/shared/schemas";
import type { Deps } from "../deps.ts";
import { listUsernames } from "../store/accounts.ts";
import { type EventPosition, listEvents as listRows } from "../store/audit-events.ts";
import type { AuditEventRow } from "../store/schema.ts";

/** Looked through for a page, at the most: a few milliseconds' worth. */
const among = 10_000;

/** What happened to the account of whoever asks. */
export async function listOwnEvents(
  { db }: Deps,
  { cursor, limit, kinds }: ListOwnEventsInput,
  accountId: AccountId,
): Promise<SecurityEventPage> {
  const { rows, next } = await listRows(db, { accountId, kinds, before: positionIn(cursor) }, { limit, among });
  return { events: rows.map(toSecurityEvent).map(withoutOthers), nextCursor: cursorOf(next) };
}

/** What happened to all accounts, or to one. */
export async function listEvents(
  { db }: Deps,
  { cursor, limit, kinds, accountId, before }: ListEventsInput,
): Promise<AuditEventPage> {
  // Where a day was chosen, and then the page after.
  const from = positionIn(cursor) ?? (before === undefined ? null : { at: before.getTime(), id: firstId });
  const { rows, next } = await listRows(db, { accountId, kinds, before: from }, { limit, among });
  const ids = rows.flatMap(({ account_id, actor_id }) => [account_id, actor_id]).filter((id) => id !== null);
  const usernames = await listUsernames(db, [...new Set(ids)] as AccountId[]);
  const personOf = (id: string | null): AuditEvent["account"] =>
    id === null ? null : { id: id as AccountId, username: usernames.get(id as AccountId) ?? null };
  const events = rows.map((row) => ({
    ...toSecurityEvent(row),
    account: personOf(row.account_id),
    actor: personOf(row.actor_id),
    requestId: row.request_id,
  }));
  return { events, nextCursor: cursorOf(next) };
}

/** Before every other of its millisecond. */
const firstId = "00000000-0000-0000-0000-000000000000";

function toSecurityEvent(row: AuditEventRow): SecurityEvent {
  return {
    id: row.id,
    at: new Date(row.at),
    kind: auditKinds.find((kind) => kind === row.kind) ?? "other",
    sessionId: row.session_id as SessionId | null,
    byAdministrator: row.actor_id !== null && row.actor_id !== row.account_id,
    address: row.address,
    userAgent: row.user_agent,
    details: JSON.parse(row.details),
  };
}

/** Where an administrator was is nobody else's business. */
function withoutOthers(event: SecurityEvent): SecurityEvent {
  return event.byAdministrator ? { ...event, address: null, userAgent: null } : event;
}

function cursorOf(position: EventPosition | null): string | null {
  return position === null ? null : `${position.at}.${position.id}`;
}

function positionIn(cursor: string | undefined): EventPosition | null {
  if (cursor === undefined) return null;
  const [at, id] = cursor.split(".");
  if (at === undefined || id === undefined) throw new AuthError("BAD_REQUEST", { issues: [] });
  return { at: Number(at), id };
}
