/** The verbs of the `audit_events` table. */
import type { Insertable } from "kysely";
import type { Db } from "../deps.ts";
import type { AuditEventsTable } from "./schema.ts";

export async function insertAuditEvent(db: Db, row: Insertable<AuditEventsTable>): Promise<void> {
  await db.insertInto("audit_events").values(row).execute();
}

/** Deletes up to `limit` events from before a time. Returns how many. */
export async function deleteOldAuditEvents(db: Db, before: number, limit: number): Promise<number> {
  const old = db.selectFrom("audit_events").select("id").where("at", "<", before).limit(limit);
  const { numDeletedRows } = await db.deleteFrom("audit_events").where("id", "in", old).executeTakeFirst();
  return Number(numDeletedRows);
}
