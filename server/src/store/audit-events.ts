/** The verbs of the `audit_events` table. */
import type { AccountId } from "@countersign/shared/schemas";
import type { Insertable } from "kysely";
import type { Db } from "../deps.ts";
import type { AuditEventRow, AuditEventsTable } from "./schema.ts";

export async function insertAuditEvent(db: Db, row: Insertable<AuditEventsTable>): Promise<void> {
  await db.insertInto("audit_events").values(row).execute();
}

/** Where a page of events ends, in the order of their times. */
export interface EventPosition {
  readonly at: number;
  readonly id: string;
}

export interface EventFilter {
  /** Whose. Default: everyone's. */
  readonly accountId?: AccountId | undefined;
  /** Default: all. */
  readonly kinds?: readonly string[] | undefined;
  /** Only before here. Default: from the newest on. */
  readonly before: EventPosition | null;
}

/**
 * The newest events of a filter, up to `limit` of them. No more than `among` are looked through, so that a rare kind costs no more
 * than a frequent one; `next` is where to go on, `null` where there is nothing more.
 */
export async function listEvents(
  db: Db,
  { accountId, kinds, before }: EventFilter,
  { limit, among }: { readonly limit: number; readonly among: number },
): Promise<{ readonly rows: readonly AuditEventRow[]; readonly next: EventPosition | null }> {
  let looked = db.selectFrom("audit_events").orderBy("at", "desc").orderBy("id", "desc");
  if (accountId !== undefined) looked = looked.where("account_id", "=", accountId);
  if (before !== null) {
    const { at, id } = before;
    // The first condition is what the index is read by; the second tells apart what happened in one millisecond.
    looked = looked
      .where("at", "<=", at)
      .where((where) => where.or([where("at", "<", at), where.and([where("at", "=", at), where("id", "<", id)])]));
  }
  let wanted = db.selectFrom(looked.selectAll().limit(among).as("looked")).selectAll();
  if (kinds !== undefined) wanted = wanted.where("kind", "in", kinds);
  const found = await wanted
    .orderBy("at", "desc")
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  if (found.length > limit && last !== undefined) return { rows, next: last };
  const end = await looked
    .select(["at", "id"])
    .offset(among - 1)
    .limit(1)
    .executeTakeFirst();
  return { rows, next: end ?? null };
}

/** Deletes up to `limit` events from before a time. Returns how many. */
export async function deleteOldAuditEvents(db: Db, before: number, limit: number): Promise<number> {
  const old = db.selectFrom("audit_events").select("id").where("at", "<", before).limit(limit);
  const { numDeletedRows } = await db.deleteFrom("audit_events").where("id", "in", old).executeTakeFirst();
  return Number(numDeletedRows);
}
