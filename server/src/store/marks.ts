/** What a database says of itself beside its tables: a row of the table of migrations, which every start reads, and is none. */
import { StoreError } from "./database.ts";
import { type MigrationsDb, migrationsTable } from "./migrations/table.ts";

export interface Mark {
  /**
   * - `moving`: it is used, and copied.
   * - `moved`: nobody uses it any more.
   * - `incomplete`: nobody uses it yet.
   * - `rehearsal`: a copy, on which anything may be tried.
   */
  readonly kind: keyof typeof rowIds;
  /** Of a promotion, the same on both sides. */
  readonly id: string;
  /** Where the other side is, for people. */
  readonly place: string;
}

/** Below the lock's, which is 0. */
const rowIds = { moved: -1, incomplete: -2, moving: -3, rehearsal: -4 } as const;
const kinds = Object.keys(rowIds) as (keyof typeof rowIds)[];

/** The mark of a database whose table of migrations is there. */
export async function readMark(db: MigrationsDb): Promise<Mark | null> {
  const row = await db
    .selectFrom(migrationsTable)
    .select(["id", "name", "checksum"])
    .where("id", "in", Object.values(rowIds))
    .executeTakeFirst();
  const kind = kinds.find((kind) => rowIds[kind] === row?.id);
  return row === undefined || kind === undefined ? null : { kind, id: row.checksum, place: row.name };
}

/** Instead of the one that was there. */
export async function setMark(db: MigrationsDb, { kind, id, place }: Mark, now: number): Promise<void> {
  await db.deleteFrom(migrationsTable).where("id", "in", Object.values(rowIds)).execute();
  const row = { id: rowIds[kind], name: place, checksum: id, requires: 0, applied_at: now };
  await db.insertInto(migrationsTable).values(row).execute();
}

/** Removes a mark, if it is still this one. Returns whether it was. */
export async function takeMark(db: MigrationsDb, { kind, id }: Pick<Mark, "kind" | "id">): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom(migrationsTable)
    .where("id", "=", rowIds[kind])
    .where("checksum", "=", id)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

/** Whether a database may be used. @throws {StoreError} `MOVED`, `INCOMPLETE` */
export function refuseMarked(mark: Mark | null): void {
  if (mark?.kind === "moved") {
    throw new StoreError(
      "MOVED",
      `Everything in this database was moved to ${mark.place} (countersign promote). Set DATABASE_URL to that one.`,
    );
  }
  if (mark?.kind === "incomplete") {
    throw new StoreError(
      "INCOMPLETE",
      `This database is being filled from ${mark.place} (countersign promote), and is not complete. Start when that has ended; if it was broken off, run it again.`,
    );
  }
}
