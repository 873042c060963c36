import type { AccountId, SessionId } from "@countersign/shared/schemas";
import { describe, expect, it } from "vitest";
import { insertAccount } from "./accounts.ts";
import { migrate } from "./migrate.ts";
import { findSession, insertSession, revokeSessions, rotateSession } from "./sessions.ts";
import { emptyDatabase } from "./test-support.ts";

const id = "019b76da-a800-70b7-b917-8f6809b9922c" as SessionId;

async function databaseWithSession() {
  const db = await emptyDatabase();
  await migrate(db, { now: () => 0 });
  await insertSession(db, {
    id,
    account_id: "alice" as AccountId,
    client_id: "countersign",
    generation: 3,
    salt: new Uint8Array(16),
    scope: "",
    amr: "pwd",
    auth_time: 0,
    created_at: 0,
    rotated_at: 0,
    rotated_by: null,
    expires_at: 1_000,
    ends_at: 2_000,
    revoked_at: null,
    revoked_reason: null,
    address: null,
    user_agent: null,
  });
  return Object.assign(db, { [Symbol.asyncDispose]: () => db.destroy() });
}

/** What was read before may be over by the time of the statement, so the statement itself has to say no. */
describe("a session moves on to its next generation", () => {
  const rotation = { id, generation: 3, now: 999, prolongedTo: 1_999, rotatedBy: "hash" };

  it("once", async () => {
    await using db = await databaseWithSession();
    const both = await Promise.all([rotateSession(db, rotation), rotateSession(db, rotation)]);
    expect(both.sort()).toEqual([false, true]);
    expect(await findSession(db, id)).toMatchObject({
      generation: 4,
      rotated_at: 999,
      rotated_by: "hash",
      expires_at: 1_999,
    });
  });

  it("only from the generation that was presented", async () => {
    await using db = await databaseWithSession();
    expect(await rotateSession(db, { ...rotation, generation: 2 })).toBe(false);
    expect(await rotateSession(db, { ...rotation, generation: 4 })).toBe(false);
  });

  it("not when it has expired meanwhile", async () => {
    await using db = await databaseWithSession();
    expect(await rotateSession(db, { ...rotation, now: 1_000 })).toBe(false);
  });

  it("keeps its end where none is given", async () => {
    await using db = await databaseWithSession();
    expect(await rotateSession(db, { ...rotation, prolongedTo: null })).toBe(true);
    expect(await findSession(db, id)).toMatchObject({ generation: 4, expires_at: 1_000 });
  });

  it("only while its account is at the version that is given, and not disabled", async () => {
    await using db = await databaseWithSession();
    const account = { id: crypto.randomUUID() as AccountId, version: 2 };
    expect(await rotateSession(db, rotation, account)).toBe(false);
    const times = { disabled_at: null, created_at: 1, updated_at: 1 };
    const names = { username: "alice", username_key: "alice", email: null, email_key: null };
    await insertAccount(db, { ...account, ...names, ...times, password_hash: null, roles: "[]" });
    expect(await rotateSession(db, rotation, { ...account, version: 1 })).toBe(false);
    await db.updateTable("accounts").set({ disabled_at: 1 }).execute();
    expect(await rotateSession(db, rotation, account)).toBe(false);
    await db.updateTable("accounts").set({ disabled_at: null }).execute();
    expect(await rotateSession(db, rotation, account)).toBe(true);
  });

  it("not when it was revoked meanwhile", async () => {
    await using db = await databaseWithSession();
    await revokeSessions(db, { id }, { now: 500, reason: "signed_out" });
    expect(await rotateSession(db, rotation)).toBe(false);
  });
});
