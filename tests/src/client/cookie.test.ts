import { createAuthClient, isAuthError, type SessionEvent } from "@countersign/client";
import { describe, expect, it } from "vitest";
import { cookieJar } from "../support/cookie-jar.ts";
import { expectReason } from "../support/expect-reason.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import type { TestRouter } from "../support/test-router.ts";

const alice = { username: "alice", password };
type Jar = ReturnType<typeof cookieJar>;

function tab(
  app: TestApp,
  { fetch }: Pick<Jar, "fetch">,
  options: Partial<Parameters<typeof createAuthClient>[0]> = {},
) {
  const client = createAuthClient<TestRouter>({ url: `${app.url}/trpc`, storage: "cookie", fetch, ...options });
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

describe("a client that keeps its session in a cookie", () => {
  it("asks the server who is signed in, and is starting until it knows", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    using nobody = tab(app, jar);
    expect(nobody.session).toEqual({ status: "starting", error: null });
    expect(await nobody.start()).toEqual({ status: "signed-out", reason: null });
    await nobody.register(alice);
    using reloaded = tab(app, jar);
    expect(await reloaded.start()).toMatchObject({ status: "signed-in", user: { username: "alice" } });
  });

  it("signs in, calls and signs out without ever holding a secret", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    const replies: string[] = [];
    using client = tab(app, {
      async fetch(input, init) {
        const reply = await jar.fetch(input, init);
        replies.push(await (reply as Response).clone().text());
        return reply;
      },
    });
    await client.register(alice);
    expect(await client.trpc.write.mutate({ text: "hello" })).toBe("hello");
    await client.logout();
    expect(client.session).toEqual({ status: "signed-out", reason: "SIGNED_OUT" });
    await expectReason(client.trpc.read.query(), "TOKEN_MISSING");
    expect(replies.join()).not.toMatch(/eyJ|v1\./);
    expect(jar.cookies.size).toBe(0);
  });

  it("has nothing to refresh", async () => {
    await using app = await testApp();
    using client = tab(app, cookieJar());
    await client.register(alice);
    const events: string[] = [];
    client.subscribe(({ type }) => events.push(type));
    for (let hours = 0; hours < 5; hours += 1) {
      await app.clock.advance({ hours: 1 });
      expect(await client.trpc.read.query()).toBe("read");
    }
    expect(events).toEqual([]);
  });

  it("is told by a call that the session has ended, and why", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    using client = tab(app, jar);
    await client.register(alice);
    const elsewhere = app.client();
    await elsewhere.login(alice);
    await elsewhere.trpc.auth.sessions.revokeOthers.mutate();
    await expectReason(client.trpc.read.query(), "SESSION_REVOKED");
    expect(client.session).toEqual({ status: "signed-out", reason: "SESSION_REVOKED" });

    await client.login(alice);
    await app.clock.advance({ days: 31 });
    await expectReason(client.trpc.read.query(), "TOKEN_EXPIRED");
    expect(client.session).toEqual({ status: "signed-out", reason: "TOKEN_EXPIRED" });
    await client.login(alice);
    jar.cookies.clear();
    await expectReason(client.trpc.read.query(), "TOKEN_MISSING");
    expect(client.session).toEqual({ status: "signed-out", reason: "SIGNED_OUT" });
  });

  it("tells the other tabs of a sign-in and a sign-out", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    using first = tab(app, jar);
    using second = tab(app, jar);
    await Promise.all([first.start(), second.start()]);
    const seen: SessionEvent["type"][] = [];
    second.subscribe(({ type }) => seen.push(type));
    await first.register(alice);
    await expect.poll(() => second.session).toMatchObject({ status: "signed-in", user: { username: "alice" } });
    await first.logout();
    await expect.poll(() => second.session).toEqual({ status: "signed-out", reason: "SIGNED_OUT" });
    expect(seen).toEqual(["signed-in", "signed-out"]);
  });

  it("needs no first question where the server said who is signed in when it rendered the page", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    using first = tab(app, jar);
    await first.register(alice);
    const session = await first.trpc.auth.session.query();
    let asked = 0;
    const fetch: Jar["fetch"] = (input, init) => {
      asked += 1;
      return jar.fetch(input, init);
    };
    using rendered = tab(app, { fetch }, { session });
    expect(rendered.session).toMatchObject({ status: "signed-in", user: { username: "alice" } });
    await rendered.start();
    expect(asked).toBe(0);
    await rendered.trpc.read.query();
    expect(asked).toBe(1);
    using nobody = tab(app, jar, { session: null });
    expect(nobody.session).toEqual({ status: "signed-out", reason: null });
  });

  it("a sign-in that signing out overtook leaves no session", async () => {
    await using app = await testApp();
    const jar = cookieJar();
    const release = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    using client = tab(app, {
      async fetch(input, init) {
        const reply = await jar.fetch(input, init);
        if (String(input).includes("auth.cookie.register")) {
          arrived.resolve();
          await release.promise;
        }
        return reply;
      },
    });
    await client.start();
    const late = expect(client.register(alice)).rejects.toMatchObject({ name: "AbortError" });
    await arrived.promise;
    const leaving = client.logout();
    expect(client.session).toMatchObject({ status: "signed-out" });
    release.resolve();
    await late;
    await leaving;
    expect(client.session).toMatchObject({ status: "signed-out" });
    expect(jar.cookies.size).toBe(0);
    const { db } = await app.auth.start();
    expect(await db.selectFrom("sessions").select("id").where("revoked_at", "is", null).execute()).toEqual([]);
  });
});

describe("while the server cannot be reached", () => {
  // It gives up twice, after pauses of up to three seconds each time.
  it("it is starting, with the error, and finds out at the next call", { timeout: 15_000 }, async () => {
    await using app = await testApp();
    const jar = cookieJar();
    using first = tab(app, jar);
    await first.register(alice);
    let isDown = true;
    const fetch: Jar["fetch"] = async (input, init) => {
      if (isDown) throw new TypeError("fetch failed");
      return jar.fetch(input, init);
    };
    using client = tab(app, { fetch });
    const session = await client.start();
    expect(session).toMatchObject({ status: "starting", error: expect.any(Error) });
    await expect(client.trpc.read.query()).rejects.toSatisfy((error) => !isAuthError(error));
    isDown = false;
    expect(await client.trpc.read.query()).toBe("read");
    expect(client.session).toMatchObject({ status: "signed-in" });
  });
});
