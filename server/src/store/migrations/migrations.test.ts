import { type Compilable, type Kysely, sql } from "kysely";
import { describe, expect, test } from "vitest";
import type { Tables } from "../schema.ts";
import { emptyDatabase } from "../test-support.ts";
import { migrations } from "./index.ts";
import { checksum, up } from "./migration.ts";

type Row = Record<string, unknown>;

async function migrated(): Promise<Kysely<Tables>> {
  const db = await emptyDatabase();
  for (const migration of migrations) await up(db, migration);
  return db;
}

async function insert(db: Kysely<Tables>, table: keyof Tables, row: Row): Promise<void> {
  const values = sql.join(Object.values(row));
  await sql`insert into ${sql.table(table)} (${sql.join(Object.keys(row).map((name) => sql.ref(name)))}) values (${values})`.execute(
    db,
  );
}

const account: Row = {
  id: "a1",
  username: "Ann",
  username_key: "ann",
  email: null,
  email_key: null,
  password_hash: null,
  roles: "[]",
  version: 1,
  created_at: 1,
  updated_at: 1,
};

const session: Row = {
  id: "s1",
  account_id: "a1",
  client_id: "web",
  generation: 0,
  salt: new Uint8Array(16),
  scope: "",
  amr: "pwd",
  auth_time: 1,
  created_at: 1,
  rotated_at: 1,
  expires_at: 2,
  ends_at: 3,
};

const rows: Record<keyof Tables, Row> = {
  accounts: account,
  sessions: session,
  feed_events: { kind: "keys_changed", subject: "k1", created_at: 1 },
  signing_keys: { id: "k1", algorithm: "EdDSA", sealed_key: new Uint8Array(1), created_at: 1, activates_at: 1 },
  attempts: { key: "login", count: 0, expires_at: 1 },
  audit_events: { id: "e1", at: 1, kind: "login", details: "{}" },
  account_deletions: { account_id: "a1", delete_at: 1 },
  tallies: { key: "1 sign_in", began_at: 1, kind: "sign_in", count: 1 },
};

const tables = Object.keys(rows) as (keyof Tables)[];

// A test that fails here has changed a migration that databases already have. Write another migration instead.
test("released migrations never change", async () => {
  await using db = await emptyDatabase();
  expect(migrations.map((migration) => [migration.id, migration.name, checksum(db, migration)])).toEqual([
    [1, "initial", "8d10f8d403ad1c7aafa174ab04435cae2e06772b02c295cec23c8bb32378cf1c"],
    [2, "account-life", "3f9d36747d71190851527d41ccfe77c424bda4705f785099527e60b9e08861d7"],
  ]);
});

test("migrations are numbered without a gap", () => {
  expect(migrations.map(({ id }) => id)).toEqual(migrations.map((_, index) => index + 1));
});

describe("every table", () => {
  test.each(tables)("%s takes a row, and gives it back", async (table) => {
    await using db = await migrated();
    await insert(db, table, rows[table]);
    const read = await db.selectFrom(table).selectAll().executeTakeFirstOrThrow();
    expect(read).toMatchObject(bytesAsBuffers(rows[table]));
  });

  test.each(tables)("%s needs each column that the program always fills", async (table) => {
    await using db = await migrated();
    for (const column of Object.keys(rows[table])) {
      if (rows[table][column] === null) continue;
      const row = { ...rows[table], [column]: null };
      await expect(insert(db, table, row), column).rejects.toThrow("NOT NULL constraint failed");
    }
  });

  test.each(tables)("%s takes no value of another type", async (table) => {
    await using db = await migrated();
    const column = Object.keys(rows[table]).find((name) => typeof rows[table][name] === "number") ?? "";
    await expect(insert(db, table, { ...rows[table], [column]: "soon" })).rejects.toThrow("cannot store TEXT value");
  });
});

describe("what no bug may write", () => {
  test.each<[what: string, table: keyof Tables, change: Row, constraint: string]>([
    ["an empty username", "accounts", { username_key: "" }, "accounts_username_key_not_empty"],
    ["an address without its key", "accounts", { email: "ann@example.org" }, "accounts_email_with_key"],
    ["a key without its address", "accounts", { email_key: "ann@example.org" }, "accounts_email_with_key"],
    ["a version below 0", "accounts", { version: -1 }, "accounts_version_counts"],
    ["a generation below 0", "sessions", { generation: -1 }, "sessions_generation_counts"],
    ["a short salt", "sessions", { salt: new Uint8Array(15) }, "sessions_salt_long"],
    ["a session that expires after its end", "sessions", { expires_at: 4 }, "sessions_expire_before_end"],
    ["a revocation without a reason", "sessions", { revoked_at: 1 }, "sessions_revoked_with_reason"],
    ["a reason without a revocation", "sessions", { revoked_reason: "signed_out" }, "sessions_revoked_with_reason"],
    ["a count below 0", "attempts", { count: -1 }, "attempts_count_counts"],
  ])("%s", async (_what, table, change, constraint) => {
    await using db = await migrated();
    await expect(insert(db, table, { ...rows[table], ...change })).rejects.toThrow(
      `CHECK constraint failed: ${constraint}`,
    );
  });

  test("two accounts with one username, or with one address; any number without an address", async () => {
    await using db = await migrated();
    const emailed = { email: "Ann@example.org", email_key: "ann@example.org" };
    await insert(db, "accounts", account);
    await insert(db, "accounts", { ...account, id: "a2", username_key: "bob" });
    await insert(db, "accounts", { ...account, ...emailed, id: "a3", username_key: "cyd" });
    const twice = insert(db, "accounts", { ...account, id: "a4" });
    await expect(twice).rejects.toMatchObject({ table: "accounts", column: "username_key" });
    const sameAddress = insert(db, "accounts", { ...account, ...emailed, id: "a5", username_key: "dan" });
    await expect(sameAddress).rejects.toMatchObject({ table: "accounts", column: "email_key" });
  });

  test("a feed id that was used before, even after a clean-up", async () => {
    await using db = await migrated();
    await insert(db, "feed_events", rows.feed_events);
    await db.deleteFrom("feed_events").execute();
    await insert(db, "feed_events", rows.feed_events);
    expect(await db.selectFrom("feed_events").select("id").execute()).toEqual([{ id: 2 }]);
  });
});

describe("an index serves", () => {
  const plans: Record<string, (db: Kysely<Tables>) => Compilable> = {
    "a page of accounts": (db) =>
      db.selectFrom("accounts").selectAll().where("username_key", ">", "ann").orderBy("username_key").limit(50),
    "accounts by the beginning of their username": (db) =>
      db
        .selectFrom("accounts")
        .selectAll()
        .where("username_key", ">=", "an")
        .where("username_key", "<", "ao")
        .orderBy("username_key"),
    "accounts by the beginning of username or address": (db) =>
      db
        .selectFrom("accounts")
        .selectAll()
        .orderBy("username_key")
        .limit(50)
        .where((where) =>
          where.or([
            where.and([where("username_key", ">=", "an"), where("username_key", "<", "ao")]),
            where.and([where("email_key", ">=", "an"), where("email_key", "<", "ao")]),
          ]),
        ),
    "an account by its address": (db) =>
      db.selectFrom("accounts").selectAll().where("email_key", "=", "ann@example.org"),
    "the sessions of an account": (db) =>
      db
        .selectFrom("sessions")
        .selectAll()
        .where("account_id", "=", "a1" as never),
    "the clean-up of sessions": (db) => db.selectFrom("sessions").select("id").where("expires_at", "<", 5).limit(500),
    "the feed after an id": (db) => db.selectFrom("feed_events").selectAll().where("id", ">", 5).orderBy("id"),
    "the clean-up of the feed": (db) => db.deleteFrom("feed_events").where("created_at", "<", 5),
    "the clean-up of attempts": (db) => db.selectFrom("attempts").select("key").where("expires_at", "<=", 5).limit(500),
    "the clean-up of the audit": (db) => db.selectFrom("audit_events").select("id").where("at", "<", 5).limit(500),
    "the clean-up of accounts": (db) =>
      db.selectFrom("account_deletions").select("account_id").where("delete_at", "<=", 5).limit(500),
    "the tallies of some days": (db) =>
      db.selectFrom("tallies").selectAll().where("began_at", ">=", 5).orderBy("began_at"),
    "the audit of an account": (db) =>
      db.selectFrom("audit_events").selectAll().where("account_id", "=", "a1").orderBy("at", "desc").limit(50),
  };

  test.each(Object.keys(plans))("%s", async (what) => {
    await using db = await migrated();
    const { sql: text, parameters } = (plans[what] as (typeof plans)[string])(db).compile();
    const explained = { ...sql`select 1`.compile(db), sql: `explain query plan ${text}`, parameters };
    const { rows: steps } = await db.executeQuery<{ detail: string }>(explained);
    const plan = steps.map(({ detail }) => detail).join("\n");
    expect(plan).toMatch(/SEARCH .* USING (COVERING INDEX|INDEX|INTEGER PRIMARY KEY)/);
    expect(plan).not.toMatch(/SCAN/);
    if (what === "a page of accounts") expect(plan).not.toMatch(/TEMP B-TREE/);
  });
});

function bytesAsBuffers(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? Buffer.from(value) : value]),
  );
}
