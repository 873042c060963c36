/** What can be seen only from inside: with one part replaced through `Deps`. */
import { createSecretKey } from "node:crypto";
import { AuthError, type Principal } from "@countersign/shared";
import { hash } from "@node-rs/argon2";
import { expect, it } from "vitest";
import { createRefreshTokens } from "../crypto/refresh-token.ts";
import type { Caller, Deps } from "../deps.ts";
import { sqlite } from "../store/sqlite.ts";
import { createTestAuth } from "../testing.ts";
import { changePassword } from "./accounts/change-password.ts";
import { login, refresh, register } from "./test-support.ts";

const caller: Caller = { address: "203.0.113.7", userAgent: "test", requestId: null };
const alice = { username: "alice", password: "correct horse battery staple" };

it("login verifies a password once, whether the account exists, has a password, or is disabled", async () => {
  await using test = await createTestAuth();
  const deps = await test.auth.start();
  const { user } = await register(deps, alice, caller);
  const compared: (string | null)[] = [];
  const watched: Deps = {
    ...deps,
    hasher: {
      ...deps.hasher,
      verify(password, stored) {
        compared.push(stored);
        return deps.hasher.verify(password, stored);
      },
    },
  };
  const attempt = (username: string) =>
    login(watched, { username, password: "wrong password" }, caller).catch(() => {});

  await attempt("nobody");
  await attempt("alice");
  await deps.db.updateTable("accounts").set({ disabled_at: 1 }).where("id", "=", user.id).execute();
  await attempt("alice");
  await deps.db.updateTable("accounts").set({ password_hash: null }).where("id", "=", user.id).execute();
  await attempt("alice");
  expect(compared.map((stored) => stored !== null)).toEqual([false, true, true, false]);
});

it("login upgrades a hash of another cost, once", async () => {
  await using test = await createTestAuth();
  const deps = await test.auth.start();
  const { user } = await register(deps, alice, caller);
  const stored = async () =>
    (await deps.db.selectFrom("accounts").select("password_hash").where("id", "=", user.id).executeTakeFirstOrThrow())
      .password_hash;
  const cheaper = await hash(alice.password, { memoryCost: 16, timeCost: 1, parallelism: 1 });
  await deps.db.updateTable("accounts").set({ password_hash: cheaper }).where("id", "=", user.id).execute();

  await login(deps, alice, caller);
  const upgraded = await stored();
  expect(upgraded).toMatch(/^\$argon2id\$v=19\$m=8,t=1,p=1\$/);
  await login(deps, alice, caller);
  expect(await stored()).toBe(upgraded);
});

it("login ends the session that was not used for the longest time, when there are a thousand", async () => {
  await using test = await createTestAuth();
  const deps = await test.auth.start();
  const first = await register(deps, alice, caller);
  await test.clock.advance({ seconds: 1 });
  const second = await login(deps, alice, caller);
  const { db } = deps;
  const row = await db.selectFrom("sessions").selectAll().where("generation", "=", 0).executeTakeFirstOrThrow();
  const copies = Array.from({ length: 998 }, (_, index) => ({
    ...row,
    id: `copy ${index}` as typeof row.id,
    rotated_at: deps.now(),
  }));
  for (const copy of copies) await db.insertInto("sessions").values(copy).execute();
  await refresh(deps, second, caller);
  await login(deps, alice, caller);
  await expect(refresh(deps, first, caller)).rejects.toMatchObject({ reason: "SESSION_REVOKED" });
  await expect(deps.accessTokens.verify(first.accessToken)).resolves.toSatisfy(
    (principal: Principal) => deps.feed.objectionTo(principal) === "SESSION_REVOKED",
  );
  await refresh(deps, second, caller);
});

it("login that fails is in the audit with the account, where there is one", async () => {
  await using test = await createTestAuth();
  const deps = await test.auth.start();
  const { user } = await register(deps, alice, caller);
  for (const username of ["alice", "nobody"]) {
    await expect(login(deps, { username, password: "wrong" }, caller)).rejects.toThrow();
  }
  const rows = await deps.db.selectFrom("audit_events").selectAll().where("kind", "=", "sign_in_failed").execute();
  expect(rows.map((row) => row.account_id)).toEqual([user.id, null]);
});

it("login lets the right password in, also when its hash cannot be upgraded", async () => {
  await using test = await createTestAuth();
  const deps = await test.auth.start();
  await register(deps, alice, caller);
  const hasher = {
    ...deps.hasher,
    isOutdated: () => true,
    hash: () => Promise.reject(new AuthError("BUSY", { retryAfter: 1 })),
  };
  const warnings: string[] = [];
  const log = { ...deps.log, warn: (_: object, message: string) => void warnings.push(message) };
  await login({ ...deps, hasher, log }, alice, caller);
  expect(warnings).toEqual(["a password's hash could not be brought to the current cost"]);
});

it("changePassword that is turned away as BUSY has guessed nothing", async () => {
  await using test = await createTestAuth({ limits: { loginsPerKnownDevice: 1 } });
  const deps = await test.auth.start();
  await register(deps, alice, caller);
  const principal = await (await test.asUser("alice")).auth.principal();
  if (principal === null) throw new Error("nobody is signed in");
  const change = (given: Deps) =>
    changePassword(
      given,
      { currentPassword: alice.password, newPassword: "another long pass phrase" },
      { principal, caller },
    );
  const busy = {
    ...deps,
    hasher: { ...deps.hasher, verify: () => Promise.reject(new AuthError("BUSY", { retryAfter: 1 })) },
  };
  await expect(change(busy)).rejects.toMatchObject({ reason: "BUSY" });
  await expect(change(busy)).rejects.toMatchObject({ reason: "BUSY" });
  await change(deps);
});

it("login starts no session for a password that was changed while it was hashed", async () => {
  await using test = await createTestAuth();
  const deps = await test.auth.start();
  const { user } = await register(deps, alice, caller);
  const overtaken: Deps = {
    ...deps,
    hasher: {
      ...deps.hasher,
      async verify(password, stored) {
        const matches = await deps.hasher.verify(password, stored);
        await deps.db.updateTable("accounts").set({ version: 2 }).where("id", "=", user.id).execute();
        return matches;
      },
    },
  };
  await expect(login(overtaken, alice, caller)).rejects.toMatchObject({ reason: "INVALID_CREDENTIALS" });
  expect(await deps.db.selectFrom("sessions").selectAll().execute()).toHaveLength(1);
});

it("refresh refuses a token that was made with another secret", async () => {
  await using test = await createTestAuth();
  const deps = await test.auth.start();
  const { refreshToken } = await register(deps, alice, caller);
  const elsewhere: Deps = { ...deps, refreshTokens: createRefreshTokens([createSecretKey(Buffer.alloc(32, 9))]) };
  await expect(refresh(elsewhere, { refreshToken }, caller)).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
});

it("refresh refuses a token whose session has another salt: the secret alone makes none", async () => {
  await using test = await createTestAuth();
  const deps = await test.auth.start();
  const { refreshToken } = await register(deps, alice, caller);
  await deps.db
    .updateTable("sessions")
    .set({ salt: new Uint8Array(16) })
    .execute();
  await expect(refresh(deps, { refreshToken }, caller)).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
});

it("login that finds no room for a password asks the database for nothing", async () => {
  const statements: string[] = [];
  const database = sqlite(":memory:", { onStatement: (sql) => statements.push(sql) });
  await using test = await createTestAuth({}, { database });
  const deps = await test.auth.start();
  statements.length = 0;
  const requireRoom = () => {
    throw new AuthError("BUSY", { retryAfter: 2 });
  };
  await expect(login({ ...deps, hasher: { ...deps.hasher, requireRoom } }, alice, caller)).rejects.toMatchObject({
    reason: "BUSY",
  });
  expect(statements).toEqual([]);
});

it("login that was turned away as BUSY has not used up an attempt", async () => {
  await using test = await createTestAuth({ limits: { loginsPerAccount: 1 } });
  const deps = await test.auth.start();
  await register(deps, alice, { ...caller, address: "198.51.100.1" });
  const busy: Deps = {
    ...deps,
    hasher: { ...deps.hasher, verify: () => Promise.reject(new AuthError("BUSY", { retryAfter: 2 })) },
  };
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await expect(login(busy, alice, caller)).rejects.toMatchObject({ reason: "BUSY" });
  }
  await login(deps, alice, caller);
});
