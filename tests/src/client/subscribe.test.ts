import type { Session, SessionEvent } from "@countersign/client";
import { describe, expect, expectTypeOf, it, vi } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { password, testApp } from "../support/test-app.ts";

describe("the session", () => {
  it("is told to subscribers at every transition, and is then what client.session is", async () => {
    await using app = await testApp();
    const client = app.client();
    const seen: SessionEvent[] = [];
    const isCurrent: boolean[] = [];
    client.subscribe((event) => {
      seen.push(event);
      isCurrent.push(event.session === client.session);
    });
    expect(client.session).toEqual({ status: "signed-out", reason: null });
    expect(seen).toEqual([]);

    await client.register({ username: "alice", password });
    await client.trpc.read.query();
    expect(seen.map(({ type }) => type)).toEqual(["signed-in"]);
    await app.clock.advance({ minutes: 20 });
    await client.trpc.read.query();
    await client.logout();
    expect(seen.map(({ type }) => type)).toEqual(["signed-in", "refreshing", "refreshed", "signed-out"]);
    expect(seen.map(({ session }) => session.status === "signed-in" && session.isRefreshing)).toEqual([
      false,
      true,
      false,
      false,
    ]);
    expect(new Set(seen.map(({ session }) => session)).size).toBe(4);
    expect(isCurrent).toEqual([true, true, true, true]);
  });

  it("is not told for a sign-in that was refused", async () => {
    await using app = await testApp();
    const client = app.client();
    let calls = 0;
    client.subscribe(() => {
      calls += 1;
    });
    await expectReason(client.login({ username: "alice", password }), "INVALID_CREDENTIALS");
    expect([calls, client.session]).toEqual([0, { status: "signed-out", reason: null }]);
  });

  it("is told to all, and every call ends, whatever one listener throws", async () => {
    await using app = await testApp();
    const client = app.client();
    const thrown: unknown[] = [];
    const later = queueMicrotask;
    using _ = vi.spyOn(globalThis, "queueMicrotask").mockImplementation((work) =>
      later(() => {
        try {
          work();
        } catch (error) {
          thrown.push(error);
        }
      }),
    );
    let calls = 0;
    client.subscribe(() => {
      throw new Error("a listener's own mistake");
    });
    client.subscribe(() => {
      calls += 1;
    });
    await client.register({ username: "alice", password });
    await app.clock.advance({ minutes: 20 });
    expect(await client.trpc.read.query()).toBe("read");
    expect(calls).toBe(3);
    expect(thrown).toEqual(Array(3).fill(new Error("a listener's own mistake")));
  });

  it("is no longer told to whoever has unsubscribed, even while it is told", async () => {
    await using app = await testApp();
    const client = app.client();
    const told: string[] = [];
    const stopFirst = client.subscribe(() => {
      told.push("first");
      stopFirst();
    });
    const stopSecond = client.subscribe(() => void told.push("second"));
    await client.register({ username: "alice", password });
    expect(told).toEqual(["first", "second"]);
    await client.logout();
    expect(told).toEqual(["first", "second", "second"]);
    stopSecond();
    stopSecond();
    await client.login({ username: "alice", password });
    expect(told).toHaveLength(3);
  });

  it("shows no token", async () => {
    await using app = await testApp();
    const client = app.client();
    await client.register({ username: "alice", password });
    expect(Object.keys(client.session).sort()).toEqual(["expiresAt", "isRefreshing", "scopes", "status", "user"]);
    expect(JSON.stringify(client)).not.toMatch(/eyJ|v1\./);
  });

  it("narrows by its status", () => {
    expectTypeOf<Extract<Session, { status: "signed-out" }>["reason"]>().toEqualTypeOf<
      | "SIGNED_OUT"
      | "TOKEN_INVALID"
      | "TOKEN_EXPIRED"
      | "SESSION_REVOKED"
      | "SESSION_REUSED"
      | "ACCOUNT_DISABLED"
      | null
    >();
    expectTypeOf<Extract<Session, { status: "signed-in" }>["user"]["username"]>().toBeString();
  });
});
