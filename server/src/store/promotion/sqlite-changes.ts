/**
 * Which rows of an SQLite change while they are copied. Triggers note it, so that the server that has it open works on as it
 * did, and need not know; in the end they refuse whatever would still be written.
 */
import { type Kysely, sql } from "kysely";
import type { Db } from "../../deps.ts";
import { movedMessage } from "../sqlite-errors.ts";
import { type TransferredTable, transferred } from "../transfer.ts";

interface ChangesTable {
  id: number;
  table_name: TransferredTable;
  key: string | number;
}

const changes = "countersign_changes";
const events = ["insert", "update", "delete"] as const;

/** A row that changed, or went, since its last note. */
export interface Change {
  readonly table: TransferredTable;
  readonly key: string | number;
}

/** Notes each change from now on. What a promotion left that was broken off goes. */
export async function startNoting(trx: Db): Promise<void> {
  await stopNoting(trx);
  await sql`
    create table ${sql.table(changes)} (
      id integer primary key autoincrement, table_name text not null, key any not null, unique (table_name, key)
    ) strict`.execute(trx);
  for (const [table, key] of transferred) {
    for (const event of events) {
      const [name, changed] = [sql.lit(table), sql.ref(`${event === "delete" ? "old" : "new"}.${key}`)];
      await sql`
        create trigger ${sql.id(triggerName(table, event))} after ${sql.raw(event)} on ${sql.table(table)} begin
          delete from ${sql.table(changes)} where table_name = ${name} and key = ${changed};
          insert into ${sql.table(changes)} (table_name, key) values (${name}, ${changed});
        end`.execute(trx);
    }
  }
}

/** What was noted after a note, each row once, and the last note. */
export async function changesAfter(db: Db, note: number): Promise<{ changes: readonly Change[]; last: number }> {
  const rows = await (db as unknown as Kysely<{ [changes]: ChangesTable }>)
    .selectFrom(changes)
    .selectAll()
    .where("id", ">", note)
    .orderBy("id")
    .execute();
  return {
    changes: rows.map(({ table_name, key }) => ({ table: table_name, key })),
    last: rows.at(-1)?.id ?? note,
  };
}

/** From its transaction's end on, nothing is written any more. */
export async function refuseWrites(trx: Db): Promise<void> {
  await stopNoting(trx);
  for (const [table] of transferred) {
    for (const event of events) {
      await sql`
        create trigger ${sql.id(triggerName(table, event))} before ${sql.raw(event)} on ${sql.table(table)} begin
          select raise(abort, ${sql.lit(movedMessage)});
        end`.execute(trx);
    }
  }
}

/** Leaves no trace of it. */
export async function stopNoting(trx: Db): Promise<void> {
  for (const [table] of transferred) {
    for (const event of events) {
      await sql`drop trigger if exists ${sql.id(triggerName(table, event))}`.execute(trx);
    }
  }
  await sql`drop table if exists ${sql.table(changes)}`.execute(trx);
}

function triggerName(table: TransferredTable, event: string): string {
  return `countersign_${table}_${event}`;
}
