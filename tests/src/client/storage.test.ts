import { createAuthClient, type SessionEvent, type TokenStorage } from "@countersign/client";
import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { createNetwork } from "../support/network.ts";
import { asyncStorage, syncStorage } from "../support/storages.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import type { TestRouter } from "../support/test-router.ts";

const alice = { username: "alice", password };
const storages = { "a storage that answers at once": syncStorage, "a storage that answers later": asyncStorage };

/** A client on a shared storage: another tab, or the same page loaded anew. */
function tab(app: TestApp, storage: TokenStorage) {
  const network = createNetwork();
  const client = createAuthClient<TestRouter>({ url: `${app.url}/trpc`, storage, fetch: network.fetch });
  return { client, network, [Symbol.dispose]: () => client.close() };
}

describe.each(Object.entries(storages))("%s", (_, createStorage) => {
  it("keeps the sign-in for the next start", async () => {
    await using app = await testApp();
    const storage = createStorage();
    {
      using first = tab(app, storage);
      await first.client.register(alice);
    }
    using second = tab(app, storage);
    expect(await second.client.start()).toMatchObject({ status: "signed-in", user: { username: "alice" } });
    expect(await second.client.trpc.read.query()).toBe("read");
    expect(second.network.sent).toEqual(["read"]);
  });

  it("makes calls wait until it has answered, instead of failing", async () => {
    await using app = await testApp();
    const storage = createStorage();
    using first = tab(app, storage);
    await first.client.register(alice);
    using second = tab(app, storage);
    expect(await second.client.trpc.read.query()).toBe("read");
  });

  it("is empty once its owner has signed out", async () => {
    await using app = await testApp();
    const storage = createStorage();
    using first = tab(app, storage);
    await first.client.register(alice);
    expect(storage.items.size).toBe(1);
    await first.client.logout();
    expect(storage.items.size).toBe(0);
    using second = tab(app, storage);
    expect(await second.client.start()).toEqual({ status: "signed-out", reason: null });
  });

  it("tells the other tabs of a sign-in, a refresh and a sign-out", async () => {
    await using app = await testApp();
    const storage = createStorage();
    using first = tab(app, storage);
    using second = tab(app, storage);
    await second.client.start();
    const seen: SessionEvent["type"][] = [];
    second.client.subscribe(({ type }) => seen.push(type));

    await first.client.register(alice);
    await expect.poll(() => second.client.session).toMatchObject({ status: "signed-in" });
    await app.clock.advance({ minutes: 16 });
    await first.client.trpc.read.query();
    await expect.poll(() => seen).toContain("refreshed");
    expect(await second.client.trpc.read.query()).toBe("read");
    expect(second.network.sent).toEqual(["read"]);
    await first.client.logout();
    await expect.poll(() => second.client.session).toEqual({ status: "signed-out", reason: "SIGNED_OUT" });
    expect(seen).toEqual(["signed-in", "refreshed", "signed-out"]);
  });

  it("tells nothing to a client that was closed while it started", async () => {
    await using app = await testApp();
    const storage = createStorage();
    using first = tab(app, storage);
    await first.client.start();
    using closed = tab(app, storage);
    closed.client.close();
    await closed.client.start();
    using second = tab(app, storage);
    await second.client.start();
    await first.client.register(alice);
    await expect.poll(() => second.client.session.status).toBe("signed-in");
    expect(closed.client.session.status).toBe("signed-out");
  });

  it("lets one tab refresh for all of them", async () => {
    await using app = await testApp();
    const storage = createStorage();
    const tabs = Array.from({ length: 5 }, () => tab(app, storage));
    await tabs[0]?.client.register(alice);
    await expect.poll(() => tabs.every(({ client }) => client.session.status === "signed-in")).toBe(true);
    for (let round = 0; round < 3; round += 1) {
      await app.clock.advance({ minutes: 16 });
      const read = tabs.flatMap(({ client }) => [client.trpc.read.query(), client.trpc.whoami.query()]);
      await Promise.all(read);
    }
    const refreshes = tabs.flatMap(({ network }) => network.sent.filter((sent) => sent === "auth.refresh"));
    expect(refreshes).toHaveLength(3);
    for (const { client } of tabs) client.close();
  });

  it.each([
    ["what is no JSON", "{"],
    ["null", "null"],
    ["what something else wrote", JSON.stringify({ accessToken: "a" })],
    [
      "half of it",
      JSON.stringify({ accessToken: "a", refreshToken: "b", user: { id: "c" }, staleAt: 1, expiresAt: 1 }),
    ],
    ["an empty text", ""],
  ])("that holds %s signs nobody in, says so, and can be used", async (_, text) => {
    await using app = await testApp();
    const storage = createStorage();
    using first = tab(app, storage);
    await first.client.register(alice);
    const [name = ""] = storage.items.keys();
    storage.items.set(name, text);
    using second = tab(app, storage);
    expect(await second.client.start()).toEqual({ status: "signed-out", reason: "TOKEN_INVALID" });
    await second.client.login(alice);
    expect(await second.client.trpc.read.query()).toBe("read");
  });

  it("that holds tokens of a session that has ended says why, once, and is cleared", async () => {
    await using app = await testApp();
    const storage = createStorage();
    using first = tab(app, storage);
    await first.client.register(alice);
    const copy = new Map(storage.items);
    await first.client.logout();
    for (const [name, text] of copy) storage.items.set(name, text);
    using second = tab(app, storage);
    await expectReason(second.client.trpc.read.query(), "SESSION_REVOKED");
    expect(second.client.session).toEqual({ status: "signed-out", reason: "SESSION_REVOKED" });
    await expect.poll(() => storage.items.size).toBe(0);
  });
});

describe("a storage that fails", () => {
  it("at the start loses no sign-in: the next call asks again", async () => {
    await using app = await testApp();
    const storage = asyncStorage();
    using first = tab(app, storage);
    await first.client.register(alice);
    storage.isLocked = true;
    using second = tab(app, storage);
    expect(await second.client.start()).toEqual({ status: "starting", error: new Error("the keychain is locked") });
    storage.isLocked = false;
    expect(await second.client.trpc.read.query()).toBe("read");
    expect(second.client.session).toMatchObject({ status: "signed-in" });
  });

  it("later costs the sign-in of the next start, and not this one", async () => {
    await using app = await testApp();
    const storage = asyncStorage();
    using first = tab(app, storage);
    await first.client.start();
    storage.isLocked = true;
    await first.client.register(alice);
    await app.clock.advance({ minutes: 16 });
    expect(await first.client.trpc.read.query()).toBe("read");
  });
});

// Once the reply could come first: what the storage had at the start, nothing, was then taken for the latest.
it("a sign-in that is answered before the storage is stays, and is kept", async () => {
  await using app = await testApp();
  const storage = syncStorage();
  const signedIn = Promise.withResolvers<void>();
  const slow: TokenStorage = {
    ...storage,
    async getItem(name) {
      const found = await storage.getItem(name);
      await signedIn.promise;
      return found;
    },
  };
  using first = tab(app, slow);
  first.client.subscribe(({ session }) => {
    if (session.status === "signed-in") signedIn.resolve();
  });
  await first.client.register(alice);
  await first.client.start();
  expect(await first.client.trpc.read.query()).toBe("read");
  using second = tab(app, storage);
  expect(await second.client.start()).toMatchObject({ status: "signed-in", user: { username: "alice" } });
});

it("names in a storage differ by server, and are of the characters that every keychain takes", async () => {
  await using app = await testApp();
  const storage = syncStorage();
  using first = tab(app, storage);
  await first.client.register(alice);
  const [name] = storage.items.keys();
  expect(name).toMatch(/^countersign_http_127\.0\.0\.1_\d+_trpc$/);
});

it("localStorage that is not there, as on a server, is memory", async () => {
  await using app = await testApp();
  const client = createAuthClient<TestRouter>({ url: `${app.url}/trpc`, storage: "localStorage" });
  await client.register(alice);
  expect(await client.trpc.read.query()).toBe("read");
});
