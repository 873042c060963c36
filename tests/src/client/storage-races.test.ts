/** Storages that answer late or fail half-way. */
import { createAuthClient, type TokenStorage } from "@countersign/client";
import { expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { createNetwork } from "../support/network.ts";
import { syncStorage } from "../support/storages.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import type { TestRouter } from "../support/test-router.ts";

const alice = { username: "alice", password };
const bob = { username: "bob", password };

function tab(app: TestApp, storage: TokenStorage) {
  const { fetch } = createNetwork();
  const client = createAuthClient<TestRouter>({ url: `${app.url}/trpc`, storage, fetch });
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

/** A storage that answers when it is let to. */
function gated() {
  const items = syncStorage();
  const gate = Promise.withResolvers<void>();
  const storage: TokenStorage = {
    ...items,
    async getItem(name) {
      const text = items.getItem(name);
      await gate.promise;
      return text;
    },
  };
  return { items, storage, open: gate.resolve };
}

/** A storage that is full when a test says so. */
function filling() {
  const items = syncStorage();
  const state = { isFull: false };
  const storage: TokenStorage = {
    ...items,
    setItem(name, text) {
      if (state.isFull) throw new Error("the quota is exceeded");
      return items.setItem(name, text);
    },
  };
  return Object.assign(state, { storage });
}

it("who signs in before the storage has answered stays who they are", async () => {
  await using app = await testApp();
  await app.client().register(bob);
  const { items, storage, open } = gated();
  {
    using first = tab(app, items);
    await first.register(alice);
  }
  using second = tab(app, storage);
  const entered = second.login(bob);
  open();
  expect(await entered).toMatchObject({ username: "bob" });
  expect(await second.trpc.whoami.query()).toMatchObject({ username: "bob" });
  using third = tab(app, items);
  expect(await third.start()).toMatchObject({ user: { username: "bob" } });
});

it("a write that fails costs no session, though the old tokens are still there", async () => {
  await using app = await testApp();
  const place = filling();
  using client = tab(app, place.storage);
  await client.register(alice);
  await app.clock.advance({ minutes: 16 });
  place.isFull = true;
  expect(await client.trpc.read.query()).toBe("read");
  place.isFull = false;
  await app.clock.advance({ minutes: 16 });
  expect(await client.trpc.read.query()).toBe("read");
  expect(client.session).toMatchObject({ status: "signed-in" });
});

it("a write that fails at the sign-in of another does not bring the first one back", async () => {
  await using app = await testApp();
  await app.client().register(bob);
  const place = filling();
  using client = tab(app, place.storage);
  await client.register(alice);
  place.isFull = true;
  await client.login(bob);
  await app.clock.advance({ minutes: 16 });
  expect(await client.trpc.whoami.query()).toMatchObject({ username: "bob" });
});

it("a page that is left in the middle of a refresh costs no session, however long it is left", async () => {
  await using app = await testApp();
  const items = syncStorage();
  const network = createNetwork();
  const first = createAuthClient<TestRouter>({ url: `${app.url}/trpc`, storage: items, fetch: network.fetch });
  await first.register(alice);
  const copy = new Map(items.items);
  await app.clock.advance({ minutes: 16 });
  const refresh = network.hold("auth.refresh");
  const read = first.trpc.read.query();
  read.catch(() => {});
  await refresh.arrived;
  first.close();
  const left = new Map(items.items);
  refresh.release();
  await read;
  // What the page had written before it was killed, and nothing of what came after.
  for (const [name, text] of left) items.items.set(name, text);
  await app.clock.advance({ hours: 5 });
  using second = tab(app, items);
  expect(await second.trpc.read.query()).toBe("read");

  // A copy of the tokens from before knows nothing of the refresh's name, and is found out.
  for (const [name, text] of copy) items.items.set(name, text);
  using thief = tab(app, items);
  await expectReason(thief.trpc.read.query(), "SESSION_REUSED");
});
