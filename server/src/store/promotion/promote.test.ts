import Sqlite from "better-sqlite3";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { Db } from "../../deps.ts";
import { setMark } from "../marks.ts";
import { migrate } from "../migrate.ts";
import { postgres } from "../postgres.ts";
import { sqlite } from "../sqlite.ts";
import { emptyPostgres, expectStoreError, temporaryFolder } from "../test-support.ts";
import { readPages, transferred } from "../transfer.ts";
import { createDigest, type Digest } from "./digest.ts";
import { type PromoteOptions, promote } from "./promote.ts";
import { startNoting } from "./sqlite-changes.ts";

const now = () => Date.parse("2026-01-01T00:00:00Z");
const id = (index: number) => `01990000-0000-7000-8000-${String(index).padStart(12, "0")}`;

/** An SQLite with a row or more in every table, and an empty PostgreSQL. */
async function house() {
  const folder = temporaryFolder();
  const location = folder.at("auth.db");
  const source = sqlite(location);
  const url = await emptyPostgres();
  const db = await source.open();
  await migrate(db, { now });
  for (let index = 0; index < 700; index += 1) {
    await sql`insert into accounts (id, username, username_key, email, email_key, roles, version, created_at, updated_at)
      values (${id(index)}, ${`Person ${index}`}, ${`person ${index}`}, null, null, '["b", "a"]', 1, 5, 6)`.execute(db);
  }
  await sql`insert into sessions (id, account_id, client_id, generation, salt, scope, amr, auth_time, created_at, rotated_at, expires_at, ends_at)
    values (${id(1)}, ${id(2)}, 'web', 7, ${new Uint8Array(16).fill(200)}, '', 'pwd', 1, 1, 1, 2, 3)`.execute(db);
  await sql`insert into signing_keys values ('kid', 'EdDSA', ${new Uint8Array([0, 1, 255])}, 1, 2)`.execute(db);
  await sql`insert into attempts values ('Zed', 3, 10), ('alpha', 0, 11), ('_', 1, 12)`.execute(db);
  await sql`insert into audit_events (id, at, kind, details, user_agent)
    values (${id(1)}, 5, 'odd', '{"z": [1, {"b": null, "a": "ü"}], "a": 1.5}', 'agent "x"')`.execute(db);
  await sql`insert into feed_events (kind, subject, version, created_at) values ('account_changed', 'a', 2, 9)`.execute(
    db,
  );
  await sql`insert into feed_events (kind, subject, version, created_at) values ('session_revoked', 's', null, 10)`.execute(
    db,
  );
  await sql`delete from feed_events where id = 1`.execute(db);
  return {
    location,
    source,
    target: postgres(url),
    url,
    db,
    async [Symbol.asyncDispose]() {
      await db.destroy();
      folder[Symbol.dispose]();
    },
  };
}

const run = (options: Pick<PromoteOptions, "source" | "target"> & Partial<PromoteOptions>) =>
  promote({ id: id(0), now, signal: new AbortController().signal, onProgress: () => {}, ...options });

/** Does something when the copy is at a table. */
function at(step: string, table: string | null, work: () => void | Promise<void>): Pick<PromoteOptions, "onProgress"> {
  let isDone = false;
  return {
    async onProgress(progress) {
      if (isDone || progress.step !== step || progress.table !== table) return;
      isDone = true;
      await work();
    },
  };
}

async function contentOf(db: Db): Promise<Record<string, Digest>> {
  const digests: [string, Digest][] = [];
  for (const [table] of transferred) {
    const digest = createDigest();
    for await (const page of readPages(db, table)) digest.add(page.filter(({ kind }) => kind !== "moved"));
    digests.push([table, digest.value]);
  }
  return Object.fromEntries(digests);
}

/** Objects that a promotion made in an SQLite, if any. */
async function traces(db: Db): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select name from sqlite_master where type = 'trigger' or name = 'countersign_changes'
    union all select name from countersign_migrations where id < 0`.execute(db);
  return rows.map(({ name }) => name);
}

/** Has a PostgreSQL do something else than it is told, when one account is inserted. Returns what undoes it. */
async function forgeIn(
  db: Db,
  { username, what }: { username: string; what: string },
): Promise<() => Promise<unknown>> {
  const body = sql.raw(`begin ${what}; return new; end`);
  await sql`create function forge() returns trigger language plpgsql as $$ ${body} $$`.execute(db);
  await sql`create trigger forge before insert on accounts for each row
    when (new.username = ${sql.lit(username)}) execute function forge()`.execute(db);
  return () => sql`drop trigger forge on accounts`.execute(db);
}

/** Writes from another connection, and returns when that is done: `promote` waits for nothing that goes on beside it. */
function write({ location }: { readonly location: string }, statements: readonly string[]): void {
  // By the same library: another in this process would not see its locks, and delete its -wal (https://sqlite.org/howtocorrupt.html, 2.2.1).
  const db = new Sqlite(location);
  try {
    for (const statement of statements) db.exec(statement);
  } finally {
    db.close();
  }
}

describe("promote", () => {
  it("moves every row as it is, and then only the other one may be used", async () => {
    await using home = await house();
    const before = await contentOf(home.db);
    const promoted = await run(home);
    expect(promoted?.tables).toEqual(before);
    expect(promoted?.changed).toBe(0);
    await using there = await home.target.open();
    expect(await contentOf(there)).toEqual(before);
    expect(await migrate(there, { now })).toEqual([]);

    const moved = await expectStoreError(migrate(home.db, { now }), "MOVED");
    expect(moved.message).toContain(home.target.location);
    for (const write of [
      sql`insert into attempts values ('late', 1, 1)`,
      sql`update attempts set count = 9`,
      sql`delete from attempts`,
    ]) {
      await expect(write.execute(home.db)).rejects.toMatchObject({ reason: "UNAVAILABLE" });
    }
    await expectStoreError(run(home), "MOVED");
    // Past what a follower may have seen, the event of the move included.
    await sql`insert into feed_events (kind, subject, created_at) values ('session_revoked', 's', now())`.execute(
      there,
    );
    const { rows } = await sql<{ id: number }>`select max(id) as id from feed_events`.execute(there);
    expect(rows[0]?.id).toBe(4);
  });

  it("does again what changed while it was copied: rows that came, went, and gave each other their names", async () => {
    await using home = await house();
    const promoted = await run({
      ...home,
      ...at("copying", "sessions", () =>
        write(home, [
          `update accounts set username_key = 'free' where id = '${id(1)}'`,
          `update accounts set username_key = 'person 1' where id = '${id(2)}'`,
          `update accounts set username_key = 'person 2' where id = '${id(1)}'`,
          `delete from accounts where id = '${id(3)}'`,
          `insert into accounts (id, username, username_key, roles, version, created_at, updated_at)
            values ('${id(9_000)}', 'Person 3', 'person 3', '[]', 1, 5, 6)`,
          "update sessions set generation = 8",
          "insert into feed_events (kind, subject, created_at) values ('session_revoked', 's2', 11)",
          "insert into attempts values ('Zed', 1, 1) on conflict (key) do update set count = 4",
        ]),
      ),
    });
    expect(promoted?.changed).toBe(7);
    await using there = await home.target.open();
    expect(await contentOf(there)).toEqual(await contentOf(home.db));
    const { rows } = await sql`select username_key from accounts where id in (${id(1)}, ${id(2)}) order by id`.execute(
      there,
    );
    expect(rows).toEqual([{ username_key: "person 2" }, { username_key: "person 1" }]);
  });

  it.each([
    ["that is not as it was read", "new.version := 2"],
    [
      "that nobody read",
      `insert into accounts (id, username, username_key, roles, version, created_at, updated_at)
        values ('${id(8_000)}', 'x', 'x', '[]', 1, now(), now())`,
    ],
    ["that was not written", "return null"],
  ])("a row %s breaks it off, and the server goes on as before", async (_, what) => {
    await using home = await house();
    await using there = await home.target.open();
    await migrate(there, { now });
    const undo = await forgeIn(there, { username: "Person 5", what });
    const error = await expectStoreError(run(home), "COPY_DIFFERS");
    expect(error.message).toContain("table accounts");
    expect(await traces(home.db)).toEqual([]);
    await sql`update attempts set count = count + 1`.execute(home.db);
    // What was broken off is in nobody's way.
    await expectStoreError(migrate(there, { now }), "INCOMPLETE");
    await undo();
    expect(await run(home)).not.toBeNull();
    expect(await contentOf(there)).toEqual(await contentOf(home.db));
  });

  it("a row that somebody adds behind its back is found before the switch", async () => {
    await using home = await house();
    await using there = await home.target.open();
    await expectStoreError(
      run({
        ...home,
        ...at("copying", "feed_events", async () => {
          await sql`insert into signing_keys values ('another', 'EdDSA', ${new Uint8Array(1)}, now(), now())`.execute(
            there,
          );
        }),
      }),
      "COPY_DIFFERS",
    );
    expect(await traces(home.db)).toEqual([]);
  });

  it("a change that is not written as it was read breaks it off", async () => {
    await using home = await house();
    await using there = await home.target.open();
    await migrate(there, { now });
    await forgeIn(there, { username: "Late", what: "new.version := 7" });
    const broken = run({
      ...home,
      ...at("copying", "sessions", () =>
        write(home, [
          `insert into accounts (id, username, username_key, roles, version, created_at, updated_at)
            values ('${id(9_000)}', 'Late', 'late', '[]', 1, 5, 6)`,
        ]),
      ),
    });
    await expectStoreError(broken, "COPY_DIFFERS");
    expect(await traces(home.db)).toEqual([]);
  });

  it.each(["source", "target"] as const)("breaks off when another one takes its %s", async (side) => {
    await using home = await house();
    const broken = run({
      ...home,
      ...at("copying", "accounts", async () => {
        await using db = await home[side].open();
        await db.transaction().execute(async (trx) => {
          const kind = side === "source" ? "moving" : "incomplete";
          await setMark(trx.$extendTables(), { kind, id: id(88), place: "elsewhere" }, now());
          if (side === "source") await startNoting(trx);
        });
      }),
    });
    expect((await expectStoreError(broken, "COPY_DIFFERS")).message).toContain("Another promotion");
    // What the other one noted is left to it.
    expect((await traces(home.db)).length > 0).toBe(side === "source");
  });

  it("can be broken off at any time, and leaves nothing behind", async () => {
    await using home = await house();
    for (const [step, table] of [
      ["copying", "accounts"],
      ["comparing", "feed_events"],
      ["catching up", null],
    ] as const) {
      const breaking = new AbortController();
      const broken = run({ ...home, signal: breaking.signal, ...at(step, table, () => breaking.abort()) });
      await expect(broken, step).rejects.toMatchObject({ name: "AbortError" });
      expect(await traces(home.db)).toEqual([]);
    }
    await sql`update attempts set count = 1`.execute(home.db);
    expect(await run(home)).not.toBeNull();
  });

  it("what was killed in the middle is begun anew", async () => {
    await using home = await house();
    // As a killed run leaves it: notes in the one, some rows in the other.
    await using there = await home.target.open();
    await home.db.transaction().execute(async (trx) => {
      await startNoting(trx);
      await setMark(trx.$extendTables(), { kind: "moving", id: id(0), place: "there" }, now());
    });
    await migrate(there, { now });
    await setMark(there.$extendTables(), { kind: "incomplete", id: id(0), place: "here" }, now());
    await sql`insert into attempts values ('half', 1, now())`.execute(there);
    await migrate(home.db, { now });
    await sql`update attempts set count = 5`.execute(home.db);
    expect(await run({ ...home, id: id(77) })).not.toBeNull();
    expect(await contentOf(there)).toEqual(await contentOf(home.db));
  });

  it("a switch that ended after its first half is ended by the next run", async () => {
    await using home = await house();
    const cut = new Error("the network is away");
    const breaks = postgres(home.url, {
      onStatement(text) {
        if (text.startsWith("alter table feed_events")) throw cut;
      },
    });
    const error = await expectStoreError(run({ ...home, target: breaks }), "INCOMPLETE");
    expect(error.message).toContain("Run the command again");
    await using there = await home.target.open();
    // Neither may be used, rather than both.
    await expectStoreError(migrate(home.db, { now }), "MOVED");
    await expectStoreError(migrate(there, { now }), "INCOMPLETE");
    expect(await run({ ...home, id: id(77) })).toBeNull();
    expect(await migrate(there, { now })).toEqual([]);
    expect(await contentOf(there)).toEqual(await contentOf(home.db));
  });

  it.each([
    ["begins", "copying", "accounts"],
    ["is nearly done", "catching up", null],
  ] as const)(
    "of two at once, into two places, one switches: the second comes when the first %s",
    async (_, step, table) => {
      await using home = await house();
      const places = [home.target, postgres(await emptyPostgres())] as const;
      let second: Promise<unknown> = Promise.resolve();
      const first = run({
        ...home,
        ...at(step, table, () => {
          second = run({ ...home, target: places[1], id: id(88) });
        }),
      });
      const outcomes = await Promise.allSettled([first, first.catch(() => {}).then(() => second)]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      const winner =
        places[outcomes.findIndex(({ status }) => status === "fulfilled")] ?? expect.fail("one of the two");
      expect((await expectStoreError(migrate(home.db, { now }), "MOVED")).message).toContain(winner.location);
      await using there = await winner.open();
      expect(await contentOf(there)).toEqual(await contentOf(home.db));
    },
  );

  it("a target that is open by then is not emptied, nor one that is being opened", async () => {
    await using home = await house();
    await using there = await home.target.open();
    let second: Promise<unknown> = Promise.resolve();
    // The second has seen that the first is not complete, and comes when the first switches.
    const first = run({
      ...home,
      ...at("catching up", null, () => {
        second = run({ ...home, id: id(88) }).catch((error: unknown) => error);
      }),
    });
    const outcome = await first.then(
      () => "moved",
      (error: unknown) => error,
    );
    await second;
    if (outcome === "moved") await migrate(there, { now });
    else expect(outcome).toMatchObject({ reason: "COPY_DIFFERS" });
    // Either way, what is closed is complete on the other side.
    await run(home).catch(() => {});
    await expectStoreError(migrate(home.db, { now }), "MOVED");
    expect(await contentOf(there)).toEqual(await contentOf(home.db));
    expect(await migrate(there, { now })).toEqual([]);
  });

  it("refuses a database that has something in it, and touches nothing", async () => {
    await using home = await house();
    await using there = await home.target.open();
    await migrate(there, { now });
    await sql`insert into signing_keys values ('theirs', 'EdDSA', ${new Uint8Array(1)}, now(), now())`.execute(there);
    const error = await expectStoreError(run(home), "NOT_EMPTY");
    expect(error.message).toContain("signing_keys");
    expect(await traces(home.db)).toEqual([]);
    expect((await sql`select id from signing_keys`.execute(there)).rows).toEqual([{ id: "theirs" }]);
  });
});
