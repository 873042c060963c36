import type { User } from "@countersign/shared/schemas";
import { describe, expect, it, vi } from "vitest";
import { administrator, bearer, refresh, signUp, usersMe } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";
import { testDatabase } from "../support/test-database.ts";

describe("verifying", () => {
  it("is not done for a public procedure, whatever token comes with it", async () => {
    await using app = await testApp();
    const { accessTokens } = await app.auth.start();
    const verify = vi.spyOn(accessTokens, "verify");
    const session = await signUp(app);
    expect(await bearer(app, session).ping.query()).toBe("pong");
    expect(verify).not.toHaveBeenCalled();
    await bearer(app, session).whoami.query();
    expect(verify).toHaveBeenCalledOnce();
  });

  it("is done once for a batch of ten", async () => {
    await using app = await testApp();
    const { accessTokens } = await app.auth.start();
    const { accessToken } = await signUp(app);
    const verify = vi.spyOn(accessTokens, "verify");
    const paths = Array(10).fill("whoami").join(",");
    const reply = await app.request(`/trpc/${paths}?batch=1`, { headers: { authorization: `Bearer ${accessToken}` } });
    expect(await reply.json()).toHaveLength(10);
    expect(verify).toHaveBeenCalledOnce();
  });

  it("is done once for a batch whose token is bad, and each call is told", async () => {
    await using app = await testApp();
    const { accessTokens } = await app.auth.start();
    const verify = vi.spyOn(accessTokens, "verify");
    const paths = Array(10).fill("whoami").join(",");
    const reply = await app.request(`/trpc/${paths}?batch=1`, { headers: { authorization: "Bearer nonsense" } });
    const bodies = (await reply.json()) as { error: { json: { data: { reason: string } } } }[];
    expect(bodies.map(({ error }) => error.json.data.reason)).toEqual(Array(10).fill("TOKEN_INVALID"));
    expect(verify).toHaveBeenCalledOnce();
  });

  it("makes a context without any I/O", async () => {
    const statements: string[] = [];
    await using app = await testApp({}, { database: testDatabase({ onStatement: (sql) => statements.push(sql) }) });
    statements.length = 0;
    await app.auth.createContext({ req: new Request("http://localhost", { headers: { authorization: "Bearer x" } }) });
    expect(statements).toEqual([]);
  });
});

describe("a protected query in a loop", () => {
  it("runs no database statement", async () => {
    const statements: string[] = [];
    await using app = await testApp({}, { database: testDatabase({ onStatement: (sql) => statements.push(sql) }) });
    const session = await signUp(app);
    expect(statements.length).toBeGreaterThan(3);
    statements.length = 0;
    for (let call = 0; call < 50; call += 1) await bearer(app, session).whoami.query();
    expect(statements).toEqual([]);
    // The counter counts: this one asks for the account.
    expect((await usersMe(app, session)).status).toBe(200);
    expect(statements).toHaveLength(1);
  });

  it("asks for the account once a version, and a minute", async () => {
    const statements: string[] = [];
    await using app = await testApp({}, { database: testDatabase({ onStatement: (sql) => statements.push(sql) }) });
    const session = await signUp(app);
    const users = await administrator(app);
    const ofAccounts = () => statements.filter((sql) => sql.includes('"accounts"'));
    const read = async (of = session) => {
      statements.length = 0;
      const reply = await usersMe(app, of);
      return [reply.status, ((await reply.json()) as User).roles, ofAccounts().length];
    };
    expect([await read(), await read()]).toEqual([
      [200, [], 1],
      [200, [], 0],
    ]);
    await bearer(app, session).auth.me.query();
    expect(ofAccounts()).toEqual([]);

    await users.setRoles({ id: session.user.id, roles: ["moderator"] });
    expect((await usersMe(app, session)).status).toBe(401);
    statements.length = 0;
    const next = await refresh(app, session);
    // The refresh has read it.
    expect(ofAccounts()).not.toEqual([]);
    expect(await read(next)).toEqual([200, ["moderator"], 0]);

    await app.clock.advance({ seconds: 61 });
    expect(await read(next)).toEqual([200, ["moderator"], 1]);
    await users.remove({ id: session.user.id });
    expect((await usersMe(app, next)).status).toBe(401);
  });

  it("nobody changes what others are told of an account", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const headers = new Headers({ authorization: `Bearer ${session.accessToken}` });
    const caller = app.auth.router.createCaller(
      await app.auth.createContext({ req: new Request("http://localhost", { headers }) }),
    );
    for (let time = 0; time < 2; time += 1) {
      const me = await caller.me();
      expect(me.roles).toEqual([]);
      me.roles.push("admin");
    }
  });

  it("runs none with the client either, batches and refusals included", async () => {
    const statements: string[] = [];
    await using app = await testApp({}, { database: testDatabase({ onStatement: (sql) => statements.push(sql) }) });
    const client = app.client();
    await client.register({ username: "alice", password });
    statements.length = 0;
    for (let call = 0; call < 10; call += 1) {
      await Promise.allSettled([client.trpc.read.query(), client.trpc.whoami.query(), client.trpc.moderate.mutate()]);
    }
    expect(statements).toEqual([]);
  });
});
