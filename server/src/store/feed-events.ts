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

/** The events after an id, in order. */
export async function readFeedAfter(db: Db, id: number): Promise<FeedEventRow[]> {
  return db.selectFrom("feed_events").selectAll().where("id", ">", id).orderBy("id").execute();
}

/** The events of a time and after it, in order. */
export async function readFeedSince(db: Db, createdAfter: number): Promise<FeedEventRow[]> {
  return db.selectFrom("feed_events").selectAll().where("created_at", ">=", createdAfter).orderBy("id").execute();
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

/** The id of the newest event; 0 when there is none. */
export async function latestFeedId(db: Db): Promise<number> {
  const row = await db
    .selectFrom("feed_events")
    .select((eb) => eb.fn.max("id").as("id"))
    .executeTakeFirst();
  return Number(row?.id ?? 0);
}

/** Removes the events before a time. Returns how many. */
export async function pruneFeed(db: Db, before: number): Promise<number> {
  const result = await db.deleteFrom("feed_events").where("created_at", "<", before).executeTakeFirst();
  return Number(result.numDeletedRows);
}
