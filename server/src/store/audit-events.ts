/** The verbs of the `audit_events` table. */
import type { Insertable, Selectable } from "kysely";
import type { Db } from "../deps.ts";
import type { AuditEventsTable } from "./schema.ts";

export type AuditEventRow = Selectable<AuditEventsTable>;

export async function insertAuditEvent(db: Db, row: Insertable<AuditEventsTable>): Promise<void> {
  await db.insertInto("audit_events").values(row).execute();
}

/** The latest events of an account, the newest first. */
export async function listAuditEvents(db: Db, accountId: string, limit: number): Promise<AuditEventRow[]> {
  return db
    .selectFrom("audit_events")
    .selectAll()
    .where("account_id", "=", accountId)
    .orderBy("at", "desc")
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
}

/** Deletes up to `limit` events from before a time. Returns how many. */
export async function deleteOldAuditEvents(db: Db, before: number, limit: number): Promise<number> {
  const old = db.selectFrom("audit_events").select("id").where("at", "<", before).limit(limit);
  const { numDeletedRows } = await db.deleteFrom("audit_events").where("id", "in", old).executeTakeFirst();
  return Number(numDeletedRows);
}
