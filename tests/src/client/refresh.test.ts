import { describe, expect, it, vi } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { createNetwork } from "../support/network.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

/** A client who signed in a while ago: the access token has expired, the refresh token has not. */
async function expired(app: TestApp) {
  const network = createNetwork();
  const client = app.client(network.fetch);
  const user = await client.register({ username: "alice", password });
  await app.clock.advance({ minutes: 20 });
  network.sent.length = 0;
  network.tokens.length = 0;
  return { client, network, user };
}

describe("a call with an expired access token", () => {
  it("is sent again once, with a new one, and the caller sees only the answer", async () => {
    await using app = await testApp();
    const { client, network, user } = await expired(app);
    expect(await client.trpc.whoami.query()).toMatchObject({ accountId: user.id });
    expect(network.sent).toEqual(["whoami", "auth.refresh", "whoami"]);
    const [old, refresh, renewed] = network.tokens;
    expect(refresh).toBeNull();
    expect(renewed).not.toBe(old);
    expect(client.session).toMatchObject({ status: "signed-in", expiresAt: new Date(app.clock.now() + 900_000) });
  });

  it("writes once: a mutation that was refused has done nothing", async () => {
    await using app = await testApp();
    const { client, network } = await expired(app);
    const at = new Date("2026-01-02T03:04:05.678Z");
    expect(await client.trpc.write.mutate({ text: "hello", at })).toBe("hello");
    expect(network.sent).toEqual(["write", "auth.refresh", "write"]);
  });

  it("is sent again twice at most, whatever the answer is then", async () => {
    await using app = await testApp();
    const network = createNetwork();
    const client = app.client(async (input, init) => {
      const reply = await network.fetch(input, init);
      // Every token has expired by the time it arrives.
      if (network.sent.at(-1) === "auth.refresh") await app.clock.advance({ minutes: 20 });
      return reply;
    });
    await client.register({ username: "alice", password });
    await app.clock.advance({ minutes: 20 });
    network.sent.length = 0;
    await expectReason(client.trpc.read.query(), "TOKEN_EXPIRED");
    expect(network.sent).toEqual(["read", "auth.refresh", "read", "auth.refresh", "read"]);
    expect(client.session.status).toBe("signed-in");
  });

  it("is not sent again for a refusal that no token can mend", async () => {
    await using app = await testApp();
    const network = createNetwork();
    const client = app.client(network.fetch);
    await client.register({ username: "alice", password });
    network.sent.length = 0;
    await expectReason(client.trpc.moderate.mutate(), "INSUFFICIENT_SCOPE");
    await expectReason(client.trpc.tidy.mutate(), "INSUFFICIENT_ROLE");
    await expectReason(client.trpc.write.mutate({ text: "x".repeat(101) }), "BAD_REQUEST");
    await expect(client.trpc.broken.query()).rejects.toMatchObject({ data: { code: "INTERNAL_SERVER_ERROR" } });
    expect(network.sent).toEqual(["moderate", "tidy", "write", "broken"]);
  });

  it("asks for no refresh when nobody is signed in", async () => {
    await using app = await testApp();
    const network = createNetwork();
    await expectReason(app.client(network.fetch).trpc.whoami.query(), "TOKEN_MISSING");
    expect(network.sent).toEqual(["whoami"]);
  });
});

describe("many calls at once", () => {
  it("refresh once, and all of them are answered", async () => {
    await using app = await testApp();
    const { client, network, user } = await expired(app);
    const answers = await Promise.all(Array.from({ length: 25 }, () => client.trpc.whoami.query()));
    expect(answers.map(({ accountId }) => accountId)).toEqual(Array(25).fill(user.id));
    expect(network.sent.filter((procedures) => procedures === "auth.refresh")).toHaveLength(1);
    // Batches of ten, before the refresh and after it.
    expect(network.sent).toHaveLength(3 + 1 + 3);
  });

  it("of a mixed batch: only those are sent again that were refused for their token", async () => {
    await using app = await testApp();
    const { client, network } = await expired(app);
    const answers = await Promise.all([client.trpc.ping.query(), client.trpc.read.query(), client.trpc.whoami.query()]);
    expect(answers).toMatchObject(["pong", "read", { username: "alice" }]);
    expect(network.sent).toEqual(["ping,read,whoami", "auth.refresh", "read,whoami"]);
  });

  it("of a mixed batch: each fails for its own reason", async () => {
    await using app = await testApp();
    const { client, network } = await expired(app);
    const calls = [
      client.trpc.moderate.mutate(),
      client.trpc.write.mutate({ text: "hello" }),
      client.trpc.tidy.mutate(),
    ];
    const [moderate, write, tidy] = await Promise.allSettled(calls);
    await expectReason(Promise.reject((moderate as PromiseRejectedResult).reason), "INSUFFICIENT_SCOPE");
    await expectReason(Promise.reject((tidy as PromiseRejectedResult).reason), "INSUFFICIENT_ROLE");
    expect(write).toEqual({ status: "fulfilled", value: "hello" });
    expect(network.sent).toEqual(["moderate,write,tidy", "auth.refresh", "moderate,write,tidy"]);
  });

  it("all fail with the refusal of the one refresh", async () => {
    await using app = await testApp();
    const { client, network } = await expired(app);
    await app.clock.advance({ days: 31 });
    const calls = Array.from({ length: 5 }, () => client.trpc.whoami.query());
    for (const call of await Promise.allSettled(calls)) {
      await expectReason(Promise.reject((call as PromiseRejectedResult).reason), "TOKEN_EXPIRED");
    }
    expect(network.sent).toEqual([Array(5).fill("whoami").join(","), "auth.refresh"]);
  });

  it("that were sent before a refresh and answered after it find the new token already there", async () => {
    await using app = await testApp();
    const { client, network } = await expired(app);
    const slow = network.hold("read");
    const read = client.trpc.read.query();
    await slow.arrived;
    await client.trpc.whoami.query();
    slow.release();
    expect(await read).toBe("read");
    expect(network.sent).toEqual(["read", "whoami", "auth.refresh", "whoami", "read"]);
  });
});

it("a call that waits for a refresh is not sent as whoever signs in meanwhile", async () => {
  await using app = await testApp();
  await app.client().register({ username: "bob", password });
  const network = createNetwork();
  const client = app.client(network.fetch);
  await client.register({ username: "alice", password });
  using clock = vi.spyOn(Date, "now");
  clock.mockReturnValue(Date.now() + 20 * 60_000);
  const refresh = network.hold("auth.refresh");
  const call = client.trpc.whoami.query().catch((error: unknown) => error);
  await refresh.arrived;
  const entering = client.login({ username: "bob", password });
  await expect.poll(() => client.session).toMatchObject({ user: { username: "bob" } });
  refresh.release();
  await entering;
  expect(await call).toMatchObject({ cause: { name: "AbortError" } });
  expect(await client.trpc.whoami.query()).toMatchObject({ username: "bob" });
});
