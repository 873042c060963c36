/**
 * What people had to sign in with before the migrations of a rehearsal, in tables of the copy's own: what accounts are
 * found by, and what the tokens of live sessions are made of. The release before reads it too, so it stays as it is.
 */

import type { SessionId } from "@countersign/shared/schemas";
import { sql } from "kysely";
import type { Db } from "../../deps.ts";

const accounts = "countersign_rehearsal_accounts";
const sessions = "countersign_rehearsal_sessions";
const pageSize = 500;
/** To try more would take hours where there are millions. */
const mostSessions = 1_000;

export interface KeptAccount {
  readonly id: string;
  readonly username_key: string;
  readonly email_key: string | null;
  readonly password_hash: string | null;
  /** PostgreSQL has booleans, SQLite 0 and 1. */
  readonly disabled: boolean | number;
}

export interface KeptSession {
  readonly id: SessionId;
  readonly account_id: string;
  readonly generation: number;
  readonly salt: Uint8Array;
}

/** Keeps all accounts, and up to a thousand live sessions, spread evenly over all. Returns how many of these there are. */
export async function keep(copy: Db, now: number): Promise<{ live: number }> {
  await sql`
    create table ${sql.table(accounts)} as
    select id, username_key, email_key, password_hash, disabled_at is not null as disabled from accounts`.execute(copy);
  await sql`create unique index ${sql.id(`${accounts}_id`)} on ${sql.table(accounts)} (id)`.execute(copy);

  const { live } = await copy
    .selectFrom("sessions")
    .where("revoked_at", "is", null)
    .where("expires_at", ">", now)
    .select(({ fn }) => fn.countAll<number>().as("live"))
    .executeTakeFirstOrThrow();
  const numbered = copy
    .selectFrom("sessions")
    .where("revoked_at", "is", null)
    .where("expires_at", ">", now)
    .select(["id", "account_id", "generation", "salt"])
    .select(({ fn }) =>
      fn
        .agg<number>("row_number")
        .over((over) => over.orderBy("id"))
        .as("place"),
    );
  const sample = copy
    .selectFrom(numbered.as("numbered"))
    .select(["id", "account_id", "generation", "salt"])
    .where(sql`place % ${sql.lit(Math.max(1, Math.ceil(live / mostSessions)))}`, "=", 0);
  await sql`create table ${sql.table(sessions)} as select * from ${sample} as sample`.execute(copy);
  return { live };
}

export async function* readKeptAccounts(copy: Db): AsyncGenerator<readonly KeptAccount[]> {
  let after = sql`true`;
  for (;;) {
    const { rows } = await sql<KeptAccount>`
      select * from ${sql.table(accounts)} where ${after} order by id limit ${sql.lit(pageSize)}`.execute(copy);
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) return;
    after = sql`id > ${last.id}`;
  }
}

export async function readKeptSessions(copy: Db): Promise<readonly KeptSession[]> {
  return (await sql<KeptSession>`select * from ${sql.table(sessions)}`.execute(copy)).rows;
}

/** The session's client has the next token now. */
export async function noteRefresh(copy: Db, { id }: KeptSession): Promise<void> {
  await sql`update ${sql.table(sessions)} set generation = generation + 1 where id = ${id}`.execute(copy);
}
