import { createAuthClient } from "@countersign/client";
import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { createNetwork } from "../support/network.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import type { TestRouter } from "../support/test-router.ts";

type Ask = NonNullable<Parameters<typeof createAuthClient>[0]["onStepUp"]>;

async function signedIn(app: TestApp, onStepUp?: Ask) {
  const network = createNetwork();
  const client = createAuthClient<TestRouter>({
    url: `${app.url}/trpc`,
    fetch: network.fetch,
    ...(onStepUp && { onStepUp }),
  });
  await app.client().register({ username: "bob", password });
  await client.register({ username: "alice", password });
  await app.clock.advance({ minutes: 6 });
  network.sent.length = 0;
  return { client, network };
}

describe("a call that needs a recent sign-in", () => {
  it("is sent once more after the person has signed in again, and its caller notices nothing", async () => {
    await using app = await testApp();
    const asked: object[] = [];
    const { client, network } = await signedIn(app, async (request) => {
      asked.push(request);
      await client.login({ username: "alice", password });
    });
    expect(await client.trpc.dangerous.mutate()).toBe("done");
    expect(asked).toEqual([
      { path: "dangerous", maxAge: 300, session: expect.objectContaining({ status: "signed-in" }) },
    ]);
    expect(network.sent.filter((sent) => sent === "dangerous")).toHaveLength(2);
  });

  it("asks once, however many calls need it", async () => {
    await using app = await testApp();
    let asked = 0;
    const { client } = await signedIn(app, async () => {
      asked += 1;
      await client.login({ username: "alice", password });
    });
    const calls = Array.from({ length: 5 }, () => client.trpc.dangerous.mutate());
    expect(await Promise.all(calls)).toEqual(Array(5).fill("done"));
    expect(asked).toBe(1);
  });

  it.each<[string, (client: () => Awaited<ReturnType<typeof signedIn>>["client"]) => Promise<unknown>]>([
    ["the person would not", () => Promise.reject(new Error("closed the dialogue"))],
    ["nothing was done", async () => {}],
    ["somebody else signed in", (client) => client().login({ username: "bob", password })],
    ["the person signed out", (client) => client().logout()],
  ])("fails with its refusal when %s", async (_, ask) => {
    await using app = await testApp();
    const { client } = await signedIn(app, () => ask(() => client));
    const details = await expectReason(client.trpc.dangerous.mutate(), "FRESH_LOGIN_REQUIRED");
    expect(details).toEqual({ maxAge: 300 });
  });

  it("fails with its refusal where nobody can be asked", async () => {
    await using app = await testApp();
    const { client } = await signedIn(app);
    await expectReason(client.trpc.dangerous.mutate(), "FRESH_LOGIN_REQUIRED");
  });
});
