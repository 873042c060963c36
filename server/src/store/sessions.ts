/** The verbs of the `sessions` table. */
import type { AccountId, SessionId } from "@countersign/shared/schemas";
import { sql } from "kysely";
import type { Db } from "../deps.ts";
import type { NewSessionRow, SessionRow } from "./schema.ts";
import { writtenOnce } from "./written-once.ts";

export async function insertSession(db: Db, row: NewSessionRow): Promise<void> {
  await db.insertInto("sessions").values(row).execute();
}

export async function findSession(db: Db, id: SessionId): Promise<SessionRow | null> {
  return (await db.selectFrom("sessions").selectAll().where("id", "=", id).executeTakeFirst()) ?? null;
}

/** What {@link rotateSession} makes of a session, and of which one. */
export interface Rotation {
  readonly id: SessionId;
  readonly generation: number;
  readonly now: number;
  /** Until when it may lie idle from now on; `null` for as long as its row says. */
  readonly prolongedTo: number | null;
  readonly rotatedBy: string | null;
}

/**
 * Moves a session to its next generation, in one statement: of any number of callers with the same generation, one
 * gets `true`. The session must be neither revoked nor expired.
 *
 * @param account What must still be so of an account of our own: its version, and that it is not disabled.
 */
export async function rotateSession(
  db: Db,
  { id, generation, now, prolongedTo, rotatedBy }: Rotation,
  account: { readonly id: AccountId; readonly version: number } | null = null,
): Promise<boolean> {
  const { numAffectedRows } = await rotate(db, {
    ...{ id, generation, successor: generation + 1, now, rotatedBy },
    ...(prolongedTo !== null && { prolongedTo }),
    ...(account !== null && { accountId: account.id, version: account.version }),
  });
  return numAffectedRows === 1n;
}

interface RotationValues extends Pick<Rotation, "id" | "generation" | "now" | "rotatedBy"> {
  readonly successor: number;
  readonly prolongedTo?: number;
  readonly accountId?: AccountId;
  readonly version?: number;
}

const rotate = writtenOnce((db, values: RotationValues) => {
  const { id, generation, successor, now, rotatedBy, prolongedTo, accountId, version } = values;
  const rotation = db
    .updateTable("sessions")
    .set({
      generation: successor,
      rotated_at: now,
      rotated_by: rotatedBy,
      ...(prolongedTo !== undefined && { expires_at: prolongedTo }),
    })
    .where("id", "=", id)
    .where("generation", "=", generation)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", now);
  if (accountId === undefined) return rotation;
  return rotation.where(
    sql<boolean>`exists (select 1 from accounts where id = ${accountId} and version = ${version} and disabled_at is null)`,
  );
});

/** Notes that a session was used, and until when it may lie idle from now on. Changes nothing that has ended. */
export async function prolongSession(
  db: Db,
  session: { id: SessionId; now: number; expiresAt: number },
): Promise<void> {
  await db
    .updateTable("sessions")
    .set({ rotated_at: session.now, expires_at: session.expiresAt })
    .where("id", "=", session.id)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", session.now)
    .execute();
}

/** Live sessions of an account, the latest used first. */
export async function listLiveSessions(db: Db, accountId: AccountId, now: number): Promise<SessionRow[]> {
  return db
    .selectFrom("sessions")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", now)
    .orderBy("rotated_at", "desc")
    .execute();
}

/** Live sessions of an account beyond the `keep` that were used last. */
export async function listSessionsBeyond(
  db: Db,
  { accountId, keep, now }: { accountId: AccountId; keep: number; now: number },
): Promise<SessionId[]> {
  const rows = await db
    .selectFrom("sessions")
    .select("id")
    .where("account_id", "=", accountId)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", now)
    .orderBy("rotated_at", "desc")
    .orderBy("id", "desc")
    // SQLite takes an offset only after a limit.
    .limit(Number.MAX_SAFE_INTEGER)
    .offset(keep)
    .execute();
  return rows.map(({ id }) => id);
}

/** Which sessions to revoke: one by its id (of one account, where given), or all of an account but one. */
export type SessionSelection =
  | { readonly id: SessionId; readonly accountId?: AccountId }
  | { readonly accountId: AccountId; readonly except?: SessionId };

/** Revokes what is selected and still live. Returns those that were, and whose they were. */
export async function revokeSessions(
  db: Db,
  selection: SessionSelection,
  { now, reason }: { now: number; reason: string },
): Promise<Pick<SessionRow, "id" | "account_id">[]> {
  let query = db
    .updateTable("sessions")
    .set({ revoked_at: now, revoked_reason: reason })
    .where("revoked_at", "is", null);
  if ("id" in selection) query = query.where("id", "=", selection.id);
  if (selection.accountId !== undefined) query = query.where("account_id", "=", selection.accountId);
  if ("except" in selection && selection.except !== undefined) query = query.where("id", "!=", selection.except);
  return query.returning(["id", "account_id"]).execute();
}

/** Deletes up to `limit` sessions whose end lies before a time. Returns how many. */
export async function deleteEndedSessions(db: Db, before: number, limit: number): Promise<number> {
  const ended = db.selectFrom("sessions").select("id").where("expires_at", "<", before).limit(limit);
  const { numDeletedRows } = await db.deleteFrom("sessions").where("id", "in", ended).executeTakeFirst();
  return Number(numDeletedRows);
}
