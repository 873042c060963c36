/** The verbs of the `tallies` table: how often something was done in an hour, by all nodes together. */
import type { Insertable } from "kysely";
import type { Db } from "../deps.ts";
import type { TalliesTable } from "./schema.ts";

/** Adds to what was counted already. */
export async function addTallies(db: Db, rows: readonly Insertable<TalliesTable>[]): Promise<void> {
  await db
    .insertInto("tallies")
    .values(rows)
    .onConflict((conflict) =>
      conflict.column("key").doUpdateSet((update) => ({
        count: update("tallies.count", "+", update.ref("excluded.count")),
      })),
    )
    .execute();
}

export async function listTallies(db: Db, since: number): Promise<Insertable<TalliesTable>[]> {
  return db.selectFrom("tallies").selectAll().where("began_at", ">=", since).orderBy("began_at").execute();
}

/** Deletes up to `limit` tallies from before a time. Returns how many. */
export async function deleteOldTallies(db: Db, before: number, limit: number): Promise<number> {
  const old = db.selectFrom("tallies").select("key").where("began_at", "<", before).limit(limit);
  const { numDeletedRows } = await db.deleteFrom("tallies").where("key", "in", old).executeTakeFirst();
  return Number(numDeletedRows);
}
