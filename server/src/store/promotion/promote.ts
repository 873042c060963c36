/**
 * Moves everything from an SQLite to an empty database while a server works on it: a snapshot is copied and compared, what
 * changed meanwhile is done again, and the last of it while the server's writes wait. Then the first refuses to be written,
 * and the second may be used: at no time may both.
 */
import { type ControlledTransaction, sql } from "kysely";
import type { Db, Now } from "../../deps.ts";
import { checkCatalogue } from "../catalogue.ts";
import { type Database, StoreError } from "../database.ts";
import { appendFeedEvent } from "../feed-events.ts";
import { type Mark, readMark, refuseMarked, setMark, takeMark } from "../marks.ts";
import { migrate } from "../migrate.ts";
import { hasMigrationsTable } from "../migrations/table.ts";
import type { Tables } from "../schema.ts";
import { transact } from "../transact.ts";
import {
  insertMissing,
  keyOf,
  pageSize,
  type Row,
  readPages,
  type TransferredTable,
  transferred,
} from "../transfer.ts";
import { createDigest, type Digest, digestOf, isSame } from "./digest.ts";
import { type Change, changesAfter, refuseWrites, startNoting, stopNoting } from "./sqlite-changes.ts";

export interface PromoteOptions {
  /** An SQLite, in use or not. */
  readonly source: Database;
  /** Empty, or what a promotion left that was broken off. */
  readonly target: Database;
  /** What the two sides know the promotion by. */
  readonly id: string;
  readonly now: Now;
  /** Breaks it off between two statements: everything is as it was before. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: PromotionProgress) => void | Promise<void>;
}

export interface PromotionProgress {
  readonly step: "copying" | "comparing" | "catching up";
  /** `null` while it is about all of them. */
  readonly table: TransferredTable | null;
  readonly rows: number;
  readonly of: number;
}

export interface Promoted {
  /** Of the snapshot, the same on both sides. */
  readonly tables: Readonly<Record<TransferredTable, Digest>>;
  /** Rows that changed meanwhile, and were done again. */
  readonly changed: number;
  /** How long the server's writes waited, in milliseconds. */
  readonly heldMs: number;
}

/** Few enough to be done while the server waits. */
const fewChanges = 200;
/** Where more is written than can be copied, the server has to wait for longer in the end. */
const mostRounds = 20;

/**
 * Returns what was moved; `null` when a former run had moved everything, and only that the target may be used was missing.
 *
 * @throws {StoreError} `MOVED` when it was done before, `NOT_EMPTY`, `COPY_DIFFERS`, and what `migrate` throws. The
 *   source goes on as before, unless the message says otherwise.
 */
export async function promote(options: PromoteOptions): Promise<Promoted | null> {
  const { source, target, now, id } = options;
  await using from = await source.open();
  await using to = await target.open();
  if (await endBrokenOff(from, to)) return null;

  await migrate(from, { now });
  await checkCatalogue(from);
  await claim(to, { kind: "incomplete", id, place: source.location }, now);
  await transact(from, async (trx) => {
    refuseMarked(await readMark(trx.$extendTables()));
    await setMark(trx.$extendTables(), { kind: "moving", id, place: target.location }, now());
    await startNoting(trx);
  });
  try {
    await using reader = await source.open();
    const { tables, last } = await inSnapshot(reader, (snapshot) => copyAll(snapshot, to, options));
    const rounds = await catchUp(reader, to, last, options);
    const { heldMs, changed } = await switchOver(from, to, rounds.last, options);
    return { tables, changed: rounds.changed + changed, heldMs };
  } catch (error) {
    // What failed is the news; what cannot be tidied up now, the next run does.
    await leave(from, id).catch(() => {});
    throw error;
  }
}

/** The source goes on as if nothing had been. */
async function leave(from: Db, id: string): Promise<void> {
  await transact(from, async (trx) => {
    const mark = await readMark(trx.$extendTables());
    if (mark?.kind !== "moving" || mark.id !== id) return;
    await stopNoting(trx);
    await takeMark(trx.$extendTables(), mark);
  });
}

/** Between the two commits of a switch, the source is closed already and the target not yet open. */
async function endBrokenOff(from: Db, to: Db): Promise<boolean> {
  const mark = (await hasMigrationsTable(from)) ? await readMark(from.$extendTables()) : null;
  if (mark?.kind !== "moved") return false;
  const other = (await hasMigrationsTable(to)) ? await readMark(to.$extendTables()) : null;
  if (other?.id !== mark.id) refuseMarked(mark);
  await endOpening(await beginOpening(to, mark.id), from);
  return true;
}

/** Makes the tables of the target, and sees to it that nobody else uses them. */
async function claim(to: Db, mark: Mark, now: Now): Promise<void> {
  if (await hasMigrationsTable(to)) await emptyIncomplete(to);
  await migrate(to, { now });
  await transact(to, async (trx) => {
    for (const [table] of transferred) {
      const row = await trx.selectFrom(table).select(sql.lit(1).as("one")).limit(1).executeTakeFirst();
      if (row === undefined) continue;
      throw new StoreError(
        "NOT_EMPTY",
        `The database to move to has rows in its table ${table} already. Name an empty one.`,
      );
    }
    await setMark(trx.$extendTables(), mark, now());
  });
  await checkCatalogue(to);
}

/** First the mark, which whoever opens the target holds: what is open by then is not emptied. */
async function emptyIncomplete(to: Db): Promise<void> {
  await transact(to, async (trx) => {
    const former = await readMark(trx.$extendTables());
    if (former?.kind !== "incomplete" || !(await takeMark(trx.$extendTables(), former))) return;
    for (const [table] of transferred) await sql`truncate table ${sql.table(table)}`.execute(trx);
  });
}

/** Reads as if nobody wrote meanwhile, and is in no writer's way. */
async function inSnapshot<T>(db: Db, work: (snapshot: Db) => Promise<T>): Promise<T> {
  return await db.connection().execute(async (connection) => {
    await sql`begin`.execute(connection);
    try {
      return await work(connection);
    } finally {
      await sql`rollback`.execute(connection);
    }
  });
}

async function copyAll(
  snapshot: Db,
  to: Db,
  { signal, onProgress }: PromoteOptions,
): Promise<{ tables: Promoted["tables"]; last: number }> {
  const { last } = await changesAfter(snapshot, 0);
  const digests: [TransferredTable, Digest][] = [];
  for (const [table] of transferred) {
    const total = await countRows(snapshot, table);
    const read = createDigest();
    for await (const page of readPages(snapshot, table)) {
      signal.throwIfAborted();
      await insertMissing(to, table, page);
      read.add(page);
      await onProgress({ step: "copying", table, rows: read.value.rows, of: total });
    }
    const written = createDigest();
    for await (const page of readPages(to, table)) {
      signal.throwIfAborted();
      written.add(page);
      await onProgress({ step: "comparing", table, rows: written.value.rows, of: total });
    }
    if (!isSame(read.value, written.value)) throw differs(table, read.value, written.value);
    await sql`analyze ${sql.table(table)}`.execute(to);
    digests.push([table, read.value]);
  }
  return { tables: Object.fromEntries(digests) as Record<TransferredTable, Digest>, last };
}

/** Does again what changed since a note, until little is left, and then counts both sides. */
async function catchUp(
  reader: Db,
  to: Db,
  note: number,
  { signal, onProgress }: PromoteOptions,
): Promise<{ last: number; changed: number }> {
  let last = note;
  let changed = 0;
  for (let round = 1; ; round += 1) {
    signal.throwIfAborted();
    const isLast = await inSnapshot(reader, async (snapshot) => {
      const news = await doAgain(snapshot, to, last);
      last = news.last;
      changed += news.changed;
      await onProgress({ step: "catching up", table: null, rows: changed, of: changed });
      const isEnough = news.changed < fewChanges || round === mostRounds;
      if (isEnough) await compareCounts(snapshot, to);
      return isEnough;
    });
    if (isLast) return { last, changed };
  }
}

async function compareCounts(from: Db, to: Db): Promise<void> {
  for (const [table] of transferred) {
    const [here, there] = [await countRows(from, table), await countRows(to, table)];
    if (here !== there) throw differs(table, { rows: here, sha256: "" }, { rows: there, sha256: "" });
  }
}

/** Closes the one, and then opens the other, whose mark it holds meanwhile: no other promotion can take it. */
async function switchOver(
  from: Db,
  to: Db,
  note: number,
  { id, now, source, target, signal }: PromoteOptions,
): Promise<{ heldMs: number; changed: number }> {
  const opening = await beginOpening(to, id);
  let begunAt = 0;
  let isClosed = false;
  try {
    const changed = await transact(from, async (fenced) => {
      begunAt = performance.now();
      if ((await readMark(fenced.$extendTables()))?.id !== id) throw isAnothers();
      const news = await doAgain(fenced, to, note);
      signal.throwIfAborted();
      await appendFeedEvent(fenced, { kind: "moved", subject: target.location }, now());
      await refuseWrites(fenced);
      await setMark(fenced.$extendTables(), { kind: "moved", id, place: target.location }, now());
      return news.changed;
    });
    isClosed = true;
    await endOpening(opening, from);
    return { heldMs: performance.now() - begunAt, changed };
  } catch (cause) {
    await opening
      .rollback()
      .execute()
      .catch(() => {});
    if (!isClosed) throw cause;
    throw new StoreError(
      "INCOMPLETE",
      `Everything is in ${target.location}, and a server on ${source.location} takes no more calls; but that the other may be used could not be written. Run the command again: it does only that.`,
      { cause },
    );
  }
}

/** Holds the mark of a target that is this promotion's. @throws {StoreError} `COPY_DIFFERS` when it is another's by now. */
async function beginOpening(to: Db, id: string): Promise<ControlledTransaction<Tables>> {
  const opening = await to.startTransaction().setIsolationLevel("read committed").execute();
  try {
    // It is held for as long as the last of the copy takes.
    await sql`set local statement_timeout = 0`.execute(opening);
    if (!(await takeMark(opening.$extendTables(), { kind: "incomplete", id }))) throw isAnothers();
    return opening;
  } catch (error) {
    await opening.rollback().execute();
    throw error;
  }
}

/** The target may be used. Its feed goes on where the source's ended, so that whoever follows it does. */
async function endOpening(opening: ControlledTransaction<Tables>, from: Db): Promise<void> {
  const { rows } = await sql<{ seq: number }>`select seq from sqlite_sequence where name = 'feed_events'`.execute(from);
  // After that of the move itself, which followers may have seen.
  const next = (rows[0]?.seq ?? 0) + 1;
  await sql`alter table feed_events alter column id restart with ${sql.lit(next)}`.execute(opening);
  await opening.commit().execute();
}

/** Of two at once, the second takes the notes of the first, or empties its target. */
function isAnothers(): StoreError {
  return new StoreError(
    "COPY_DIFFERS",
    "Another promotion was begun meanwhile. Let that one end; nothing was switched.",
  );
}

/** Brings the rows that changed since a note to what they are now, and compares them. */
async function doAgain(from: Db, to: Db, note: number): Promise<{ last: number; changed: number }> {
  const { changes, last } = await changesAfter(from, note);
  if (changes.length === 0) return { last, changed: 0 };
  const byTable = Map.groupBy(changes, ({ table }) => table);
  const rowsOf = new Map<TransferredTable, readonly Row[]>();
  for (const [table, changed] of byTable) rowsOf.set(table, await rowsWith(from, table, changed));
  await transact(to, async (trx) => {
    // However much it is: this transaction is nobody's request.
    await sql`set local statement_timeout = 0`.execute(trx);
    // First all that changed, then all that is there: a name that went from one account to another is free by then.
    for (const [table, changed] of byTable) {
      for (const page of inPages(changed)) {
        const keys = page.map(({ key }) => key);
        await trx
          .deleteFrom(table)
          .where(sql.ref(keyOf(table)), "in", keys)
          .execute();
      }
    }
    for (const [table, rows] of rowsOf) {
      for (const page of inPages(rows)) await insertMissing(trx, table, page);
    }
    for (const [table, rows] of rowsOf) {
      const [read, written] = [digestOf(rows), digestOf(await rowsWith(trx, table, byTable.get(table) ?? []))];
      if (!isSame(read, written)) throw differs(table, read, written);
    }
  });
  return { last, changed: changes.length };
}

async function rowsWith(db: Db, table: TransferredTable, changes: readonly Change[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const keys of inPages(changes.map(({ key }) => key))) {
    const found = sql<Row>`select * from ${sql.table(table)} where ${sql.ref(keyOf(table))} in (${sql.join(keys)})`;
    rows.push(...(await found.execute(db)).rows);
  }
  return rows;
}

async function countRows(db: Db, table: TransferredTable): Promise<number> {
  const { count } = await db
    .selectFrom(table)
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return count;
}

function* inPages<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += pageSize) yield items.slice(start, start + pageSize);
}

function differs(table: TransferredTable, read: Digest, written: Digest): StoreError {
  const sides = [read, written].map(({ rows, sha256 }) => `${rows} rows ${sha256}`.trim());
  return new StoreError(
    "COPY_DIFFERS",
    `The copy of table ${table} is not what was read (${sides.join(", and there ")}). Does anybody else write to the database that is moved to? Nothing was switched; run it again.`,
  );
}
