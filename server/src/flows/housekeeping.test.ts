import { describe, expect, it } from "vitest";
import type { Caller, Deps } from "../deps.ts";
import { sqlite } from "../store/sqlite.ts";
import { createTestAuth } from "../testing.ts";
import { keepHouse, keepHouseInTurn } from "./housekeeping.ts";
import { logout } from "./sessions/logout.ts";
import { login, refresh, register } from "./test-support.ts";

const caller: Caller = { address: "203.0.113.7", userAgent: "test", requestId: null };
const alice = { username: "alice", password: "correct horse battery staple" };

async function count(deps: Deps, table: "sessions" | "feed_events" | "attempts" | "audit_events"): Promise<number> {
  return (await deps.db.selectFrom(table).selectAll().execute()).length;
}

async function accountIds({ db }: Deps): Promise<string[]> {
  return (await db.selectFrom("accounts").select("id").orderBy("id").execute()).map(({ id }) => id);
}

describe("keepHouse", () => {
  it("keeps a session for a week after its end, so that its refresh token still learns why", async () => {
    await using test = await createTestAuth();
    const deps = await test.auth.start();
    const { refreshToken } = await register(deps, alice, caller);
    await test.clock.advance({ days: 37 });
    await keepHouse(deps);
    await expect(refresh(deps, { refreshToken }, caller)).rejects.toMatchObject({ reason: "TOKEN_EXPIRED" });
    await test.clock.advance({ days: 1 });
    await keepHouse(deps);
    expect(await count(deps, "sessions")).toBe(0);
    await expect(refresh(deps, { refreshToken }, caller)).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
  });

  it("deletes an account when the grace is over, and none whose owner keeps it", async () => {
    await using test = await createTestAuth();
    const deps = await test.auth.start();
    const callerOf = async (username: string) =>
      test.auth.accountRouter.createCaller(await test.asUser({ username, roles: [] }));
    const ids = await Promise.all(
      ["alice", "bob", "carol"].map(async (username) => (await (await callerOf(username)).get()).id),
    );
    for (const username of ["alice", "bob", "carol"]) await (await callerOf(username)).remove();
    await (await callerOf("bob")).keep();
    // One that was disabled meanwhile waits: its owner cannot keep it.
    await deps.db.updateTable("accounts").set({ disabled_at: 1 }).where("username", "=", "carol").execute();
    await test.clock.advance({ days: 14, seconds: -1 });
    await keepHouse(deps);
    expect(await accountIds(deps)).toEqual(ids.sort());
    await test.clock.advance({ seconds: 2 });
    await keepHouse(deps);
    expect(await accountIds(deps)).toEqual(ids.slice(1).sort());
    const [{ kind, account_id } = {}] = await deps.db
      .selectFrom("audit_events")
      .selectAll()
      .where("kind", "=", "account_removed")
      .execute();
    expect([kind, account_id]).toEqual(["account_removed", ids[0]]);
  });

  it("deletes nobody who keeps the account, or is disabled, while it deletes others", async () => {
    await using test = await createTestAuth();
    const deps = await test.auth.start();
    for (const username of ["alice", "bob", "carol"]) {
      await test.auth.accountRouter.createCaller(await test.asUser({ username, roles: [] })).remove();
      await test.clock.advance({ seconds: 1 });
    }
    const accounts = await deps.db.selectFrom("accounts").select(["id", "username"]).execute();
    const idOf = (name: string) => accounts.find(({ username }) => username === name)?.id ?? expect.fail();
    await test.clock.advance({ days: 15 });
    let meanwhile: Promise<unknown> | undefined;
    const { randomBytes } = deps;
    await keepHouse({
      ...deps,
      // Alice's deletion is under way, and is written down: what the others ask for comes next.
      randomBytes(length) {
        meanwhile ??= Promise.all([
          deps.db.deleteFrom("account_deletions").where("account_id", "=", idOf("bob")).execute(),
          deps.db.updateTable("accounts").set({ disabled_at: 1 }).where("id", "=", idOf("carol")).execute(),
        ]);
        return randomBytes(length);
      },
    });
    await meanwhile;
    expect(await accountIds(deps)).toEqual([idOf("bob"), idOf("carol")].sort());
  });

  it("keeps a fact of the feed as long as a token could contradict it, also for a node that starts then", async () => {
    await using test = await createTestAuth();
    const deps = await test.auth.start();
    const { refreshToken } = await register(deps, alice, caller);
    await logout(deps, { refreshToken }, { principal: async () => null, caller });
    const facts = await count(deps, "feed_events");
    await test.clock.advance({ minutes: 15 });
    await keepHouse(deps);
    expect(await count(deps, "feed_events")).toBe(facts);
    await test.clock.advance({ minutes: 2 });
    await keepHouse(deps);
    expect(await count(deps, "feed_events")).toBe(0);
  });

  it("forgets attempts when their window has ended, but not the devices that are known", async () => {
    await using test = await createTestAuth();
    const deps = await test.auth.start();
    await register(deps, alice, caller);
    await login(deps, alice, caller);
    await expect(login(deps, { ...alice, password: "wrong" }, caller)).rejects.toMatchObject({
      reason: "INVALID_CREDENTIALS",
    });
    const before = await count(deps, "attempts");
    await keepHouse(deps);
    expect(await count(deps, "attempts")).toBe(before);
    await test.clock.advance({ hours: 1 });
    await keepHouse(deps);
    expect(await count(deps, "attempts")).toBe(1);
    await test.clock.advance({ days: 365 + 90 });
    await keepHouse(deps);
    expect(await count(deps, "attempts")).toBe(0);
  });

  it("keeps the audit as long as the setting says", async () => {
    await using test = await createTestAuth({ auditRetentionSeconds: 86_400 });
    const deps = await test.auth.start();
    await register(deps, alice, caller);
    await test.clock.advance({ days: 1 });
    await keepHouse(deps);
    expect(await count(deps, "audit_events")).toBe(2);
    await test.clock.advance({ seconds: 1 });
    await keepHouse(deps);
    expect(await count(deps, "audit_events")).toBe(0);
  });

  it("is done by one node in each interval", async () => {
    const asked: string[] = [];
    const database = sqlite(":memory:", { onStatement: (sql) => asked.push(sql) });
    await using test = await createTestAuth({}, { database });
    const deps = await test.auth.start();
    const turns = async () => {
      asked.length = 0;
      await Promise.all([1, 2, 3].map(() => keepHouseInTurn(deps, 300_000)));
      return asked.filter((sql) => sql.startsWith('delete from "audit_events"')).length;
    };
    expect(await turns()).toBe(1);
    await test.clock.advance({ minutes: 4 });
    expect(await turns()).toBe(0);
    await test.clock.advance({ minutes: 1 });
    expect(await turns()).toBe(1);
  });

  it("deletes more than one statement takes", async () => {
    await using test = await createTestAuth({ auditRetentionSeconds: 1 });
    const deps = await test.auth.start();
    const rows = Array.from({ length: 1_001 }, (_, index) => ({
      id: `${index}`,
      at: 0,
      kind: "sign_in",
      details: "{}",
    }));
    await deps.db
      .insertInto("audit_events")
      .values(rows as never)
      .execute();
    await keepHouse(deps);
    expect(await count(deps, "audit_events")).toBe(0);
  });
});
