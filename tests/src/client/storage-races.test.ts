/** Storages that answer late or fail half-way. */
import { createAuthClient, type TokenStorage } from "@countersign/client";
import { expect, it } from "vitest";
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
