import { sqlite } from "@countersign/server/sqlite";
import { describe, expect, it, vi } from "vitest";
import { bearer, signUp, usersMe } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

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
    await using app = await testApp(
      {},
      { database: sqlite(":memory:", { onStatement: (sql) => statements.push(sql) }) },
    );
    statements.length = 0;
    await app.auth.createContext({ req: new Request("http://localhost", { headers: { authorization: "Bearer x" } }) });
    expect(statements).toEqual([]);
  });
});

describe("a protected query in a loop", () => {
  it("runs no database statement", async () => {
    const statements: string[] = [];
    await using app = await testApp(
      {},
      { database: sqlite(":memory:", { onStatement: (sql) => statements.push(sql) }) },
    );
    const session = await signUp(app);
    expect(statements.length).toBeGreaterThan(3);
    statements.length = 0;
    for (let call = 0; call < 50; call += 1) await bearer(app, session).whoami.query();
    expect(statements).toEqual([]);
    // The counter counts: this one asks for the account as it is now.
    expect((await usersMe(app, session)).status).toBe(200);
    expect(statements).toHaveLength(1);
  });

  it("runs none with the client either, batches and refusals included", async () => {
    const statements: string[] = [];
    await using app = await testApp(
      {},
      { database: sqlite(":memory:", { onStatement: (sql) => statements.push(sql) }) },
    );
    const client = app.client();
    await client.register({ username: "alice", password });
    statements.length = 0;
    for (let call = 0; call < 10; call += 1) {
      await Promise.allSettled([client.trpc.read.query(), client.trpc.whoami.query(), client.trpc.moderate.mutate()]);
    }
    expect(statements).toEqual([]);
  });
});
