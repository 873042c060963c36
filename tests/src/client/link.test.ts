import { createAuthClient } from "@countersign/client";
import { createTRPCClient, loggerLink, type TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import { describe, expect, expectTypeOf, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { createNetwork } from "../support/network.ts";
import { password, testApp } from "../support/test-app.ts";
import type { TestRouter } from "../support/test-router.ts";

describe("auth.link", () => {
  it("sends a query that is too long for a batch by itself: once it failed always", async () => {
    await using app = await testApp();
    const network = createNetwork();
    const { trpc } = app.client(network.fetch);
    const lengths = [10, 2_500, 2_500, 9_000];
    const replies = await Promise.all(lengths.map((length) => trpc.length.query("x".repeat(length))));
    expect(replies).toEqual(lengths);
    expect(network.sent.sort()).toEqual(["length", "length,length,length"]);
  });

  it("ends a chain of one's own, which sees each operation once", async () => {
    await using app = await testApp();
    const network = createNetwork();
    const auth = createAuthClient<TestRouter>({ url: `${app.url}/trpc`, fetch: network.fetch });
    const logged: string[] = [];
    const logger = loggerLink<TestRouter>({
      logger: (entry) => void logged.push(`${entry.direction} ${entry.path}`),
    });
    const trpc = createTRPCClient<TestRouter>({ links: [logger, auth.link] });

    await auth.register({ username: "alice", password });
    await app.clock.advance({ minutes: 20 });
    expect(await trpc.whoami.query()).toMatchObject({ username: "alice" });
    expect(logged).toEqual(["up whoami", "down whoami"]);
    expect(network.sent.slice(1)).toEqual(["whoami", "auth.refresh", "whoami"]);
    expectTypeOf(trpc.whoami.query).returns.resolves.toHaveProperty("accountId");
  });

  it("passes on what the links before it have put into the operation", async () => {
    await using app = await testApp();
    const auth = createAuthClient<TestRouter>({ url: `${app.url}/trpc` });
    const contexts: object[] = [];
    const watching: TRPCLink<TestRouter> =
      () =>
      ({ op, next }) =>
        observable((observer) => {
          contexts.push(op.context);
          return next(op).subscribe(observer);
        });
    const trpc = createTRPCClient<TestRouter>({ links: [watching, auth.link] });
    expect(await trpc.ping.query(undefined, { context: { mine: 1 } })).toBe("pong");
    expect(contexts).toEqual([{ mine: 1 }]);
  });

  it("shares the sign-in with auth.trpc, and its refresh", async () => {
    await using app = await testApp();
    const network = createNetwork();
    const auth = createAuthClient<TestRouter>({ url: `${app.url}/trpc`, fetch: network.fetch });
    const trpc = createTRPCClient<TestRouter>({ links: [auth.link] });
    await auth.register({ username: "alice", password });
    await app.clock.advance({ minutes: 20 });
    await Promise.all([trpc.whoami.query(), auth.trpc.whoami.query()]);
    expect(network.sent.filter((procedures) => procedures === "auth.refresh")).toHaveLength(1);
  });

  it("lets go of a call that was aborted while it waited for a refresh", async () => {
    await using app = await testApp();
    const network = createNetwork();
    const auth = createAuthClient<TestRouter>({ url: `${app.url}/trpc`, fetch: network.fetch });
    await auth.register({ username: "alice", password });
    await app.clock.advance({ minutes: 20 });
    const refresh = network.hold("auth.refresh");
    const abort = new AbortController();
    const call = auth.trpc.whoami.query(undefined, { signal: abort.signal });
    await refresh.arrived;
    abort.abort();
    refresh.release();
    await expect(call).rejects.toMatchObject({ cause: { name: "AbortError" } });
    expect(await auth.trpc.read.query()).toBe("read");
  });

  it("carries dates both ways", async () => {
    await using app = await testApp();
    const auth = createAuthClient<TestRouter>({ url: `${app.url}/trpc` });
    await auth.register({ username: "alice", password });
    await auth.trpc.write.mutate({ text: "hello", at: new Date() });
    const { authTime } = await auth.trpc.whoami.query();
    expect(authTime).toEqual(new Date(app.clock.now()));
    await expectReason(auth.trpc.write.mutate({ text: "hello", at: "today" as never }), "BAD_REQUEST");
  });
});
