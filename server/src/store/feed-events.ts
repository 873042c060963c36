/** The feed's table: what is no longer true, in order. Rows are appended in the transaction that makes them so. */
import type { AccountId } from "@countersign/shared/schemas";
import type { Insertable } from "kysely";
import type { Db } from "../deps.ts";
import type { FeedEventRow, FeedEventsTable } from "./schema.ts";

/** What is no longer true: a session, the tokens of an account up to a version, or a set of keys. */
export type FeedEvent = Omit<Insertable<FeedEventsTable>, "id" | "created_at">;

/** Appends an event. Call it in the transaction of the change that it tells of. */
export async function appendFeedEvent(db: Db, event: FeedEvent, now: number): Promise<void> {
  await db
    .insertInto("feed_events")
    .values({ ...event, created_at: now })
    .execute();
}

/** The events after an id, and those in ranges of ids before it, in order. Always as many ranges: one prepared statement. */
export async function readFeedAfter(
  db: Db,
  id: number,
  ranges: readonly (readonly [from: number, to: number])[] = [],
): Promise<FeedEventRow[]> {
  return db
    .selectFrom("feed_events")
    .selectAll()
    .where((where) => where.or([where("id", ">", id), ...ranges.map(([from, to]) => where.between("id", from, to))]))
    .orderBy("id")
    .execute();
}

/** The events of a time and after it, in order, and the last one before it: where there is none, nothing was left out. */
export async function readFeedSince(db: Db, createdAfter: number): Promise<FeedEventRow[]> {
  const last = db
    .selectFrom("feed_events")
    .select(({ fn }) => fn.max("id").as("id"))
    .where("created_at", "<", createdAfter);
  return db
    .selectFrom("feed_events")
    .selectAll()
    .where((where) => where.or([where("created_at", ">=", createdAfter), where("id", "=", last)]))
    .orderBy("id")
    .execute();
}

/** The highest version that an account was told to have moved on to, as far as the feed goes back; `null` when it was not. */
export async function latestVersionInFeed(db: Db, accountId: AccountId): Promise<number | null> {
  const row = await db
    .selectFrom("feed_events")
    .select(({ fn }) => fn.max("version").as("version"))
    .where("subject", "=", accountId)
    .where("kind", "=", "account_changed")
    .executeTakeFirst();
  return row?.version ?? null;
}

/** Removes up to `limit` events from before a time. Returns how many. */
export async function pruneFeed(db: Db, before: number, limit: number): Promise<number> {
  const old = db.selectFrom("feed_events").select("id").where("created_at", "<", before).limit(limit);
  const { numDeletedRows } = await db.deleteFrom("feed_events").where("id", "in", old).executeTakeFirst();
  return Number(numDeletedRows);
}
