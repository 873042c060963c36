import { isAuthError } from "@countersign/client";
import { TRPCClientError } from "@trpc/client";
import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { createNetwork } from "../support/network.ts";
import { bearer } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.fail("expected a failure"),
    (error: unknown) => error,
  );
}

describe("while the server cannot be reached", () => {
  it("a sign-in fails without a reason, and nobody is signed in", async () => {
    await using app = await testApp();
    const network = createNetwork();
    network.isDown = true;
    const client = app.client(network.fetch);
    const error = await failureOf(client.login({ username: "alice", password }));
    expect(error).toBeInstanceOf(TRPCClientError);
    expect(isAuthError(error)).toBe(false);
    expect(client.session).toEqual({ status: "signed-out", reason: null });
  });

  it("a call fails and signs nobody out; the next one works", async () => {
    await using app = await testApp();
    const network = createNetwork();
    const client = app.client(network.fetch);
    await client.register({ username: "alice", password });
    const before = client.session;
    network.isDown = true;
    expect(isAuthError(await failureOf(client.trpc.read.query()))).toBe(false);
    expect(client.session).toBe(before);
    network.isDown = false;
    expect(await client.trpc.read.query()).toBe("read");
  });

  it("a refresh fails and signs nobody out; the next call refreshes", async () => {
    await using app = await testApp();
    const network = createNetwork();
    const client = app.client(async (input, init) => {
      network.isDown = String(input).includes("auth.refresh") && isCut;
      return network.fetch(input, init);
    });
    let isCut = true;
    await client.register({ username: "alice", password });
    const before = client.session;
    await app.clock.advance({ minutes: 20 });
    network.sent.length = 0;
    const failures = await Promise.all([failureOf(client.trpc.read.query()), failureOf(client.trpc.whoami.query())]);
    expect(failures.map(isAuthError)).toEqual([false, false]);
    expect(network.sent).toEqual(["read,whoami", "auth.refresh", "auth.refresh", "auth.refresh", "auth.refresh"]);
    expect(client.session).toEqual(before);

    isCut = false;
    expect(await client.trpc.read.query()).toBe("read");
    expect(network.sent.slice(5)).toEqual(["read", "auth.refresh", "read"]);
  });

  it.each([
    { when: "within the grace", later: { seconds: 29 } },
    { when: "when the network is back, however late", later: { hours: 12 } },
  ])("a refresh whose reply was lost is repeated $when, and nobody notices", async ({ later }) => {
    await using app = await testApp();
    const network = createNetwork();
    let isLost = true;
    const client = app.client(async (input, init) => {
      const reply = await network.fetch(input, init);
      if (isLost && network.sent.at(-1) === "auth.refresh") throw new TypeError("connection reset");
      return reply;
    });
    await client.register({ username: "alice", password });
    await app.clock.advance({ minutes: 20 });
    await failureOf(client.trpc.read.query());
    isLost = false;
    await app.clock.advance(later);
    expect(await client.trpc.read.query()).toBe("read");
  });

  it("signing out ends the session here at once, and says that the server was not told", async () => {
    await using app = await testApp();
    const network = createNetwork();
    const client = app.client(network.fetch);
    await client.register({ username: "alice", password });
    await client.trpc.read.query();
    const accessToken = network.tokens.at(-1) ?? "";
    network.isDown = true;
    const error = failureOf(client.logout());
    expect(client.session).toEqual({ status: "signed-out", reason: "SIGNED_OUT" });
    expect(isAuthError(await error)).toBe(false);
    expect(client.session).toEqual({ status: "signed-out", reason: "SIGNED_OUT" });

    network.isDown = false;
    await expectReason(client.trpc.read.query(), "TOKEN_MISSING");
    await client.logout();
    // It was not told, so there it goes on.
    await bearer(app, { accessToken }).read.query();
  });
});
