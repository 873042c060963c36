/** Storages that answer late or fail half-way. */
import { createAuthClient, type TokenStorage } from "@countersign/client";
import { expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { createNetwork } from "../support/network.ts";
import { administrator } from "../support/people.ts";
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

/** A storage whose next write can be held up. */
function slowWrites() {
  const items = syncStorage();
  let next: { begin(): void; ended: Promise<void> } | null = null;
  const storage: TokenStorage = {
    ...items,
    async setItem(name, text) {
      const mine = next;
      next = null;
      mine?.begin();
      await mine?.ended;
      await items.setItem(name, text);
    },
  };
  return {
    items,
    storage,
    slow() {
      const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      next = { begin: begun.resolve, ended: ended.promise };
      return { begun: begun.promise, end: ended.resolve };
    },
  };
}

/** What another tab says. */
function tellTabs(app: TestApp): void {
  const channel = new BroadcastChannel(`countersign_${`${app.url}/trpc`.replace(/[^\w.-]+/g, "_")}`);
  channel.postMessage(undefined);
  channel.close();
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

it("a sign-out while a write is under way is what stays", async () => {
  await using app = await testApp();
  const { items, storage, slow } = slowWrites();
  using client = tab(app, storage);
  await client.register(alice);
  await app.clock.advance({ minutes: 16 });
  const write = slow();
  const read = client.trpc.read.query().catch(() => "cut off");
  await write.begun;
  const leaving = client.logout();
  write.end();
  await Promise.all([read, leaving]);
  expect(items.items.size).toBe(0);
});

it("a sign-in while a write is under way is what stays", async () => {
  await using app = await testApp();
  await app.client().register(bob);
  const { items, storage, slow } = slowWrites();
  using client = tab(app, storage);
  await client.register(alice);
  await app.clock.advance({ minutes: 16 });
  const write = slow();
  const read = client.trpc.read.query().catch(() => "cut off");
  await write.begun;
  const entering = client.login(bob);
  await expect.poll(() => client.session).toMatchObject({ user: { username: "bob" } });
  write.end();
  await Promise.all([read, entering]);
  using next = tab(app, items);
  expect(await next.start()).toMatchObject({ user: { username: "bob" } });
  expect(client.session).toMatchObject({ user: { username: "bob" } });
});

it("a read that began before a sign-in does not undo it", async () => {
  await using app = await testApp();
  const items = syncStorage();
  let held: { begun(): void; released: Promise<void> } | null = null;
  const storage: TokenStorage = {
    ...items,
    async getItem(name) {
      const text = await items.getItem(name);
      held?.begun();
      await held?.released;
      return text;
    },
  };
  using client = tab(app, storage);
  await client.start();
  const [begun, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  held = { begun: begun.resolve, released: released.promise };
  tellTabs(app);
  await begun.promise;
  await client.register(alice);
  held = null;
  released.resolve();
  const events: string[] = [];
  client.subscribe(({ type }) => events.push(type));
  expect(await client.trpc.read.query()).toBe("read");
  expect([client.session.status, events]).toEqual(["signed-in", []]);
});

it("a text that is damaged while a page runs costs it nothing", async () => {
  await using app = await testApp();
  const items = syncStorage();
  using client = tab(app, items);
  await client.register(alice);
  for (const name of items.items.keys()) items.items.set(name, '{"accessTok');
  tellTabs(app);
  await app.clock.advance({ minutes: 16 });
  expect(await client.trpc.read.query()).toBe("read");
  using next = tab(app, items);
  expect(await next.start()).toMatchObject({ user: { username: "alice" } });
});

it("a text that another process is writing is read again", async () => {
  await using app = await testApp();
  const items = syncStorage();
  {
    using first = tab(app, items);
    await first.register(alice);
  }
  let reads = 0;
  const torn: TokenStorage = {
    ...items,
    getItem(name) {
      reads += 1;
      return reads === 1 ? "" : items.getItem(name);
    },
  };
  using second = tab(app, torn);
  expect(await second.start()).toMatchObject({ user: { username: "alice" } });
});

it("a sign-in that is answered before the storage is ends the session that was there", async () => {
  await using app = await testApp();
  const { items, storage, open } = gated();
  {
    using first = tab(app, items);
    await first.register(alice);
  }
  using second = tab(app, storage);
  await second.login(alice);
  open();
  await second.start();
  await expect.poll(() => second.trpc.auth.sessions.list.query()).toHaveLength(1);
});

it("a sign-out that cannot read who is signed in says so, and keeps nothing here", async () => {
  await using app = await testApp();
  const items = syncStorage();
  {
    using first = tab(app, items);
    await first.register(alice);
  }
  const locked: TokenStorage = {
    ...items,
    getItem() {
      throw new Error("the keychain is locked");
    },
  };
  using second = tab(app, locked);
  await second.start();
  await expect(second.logout()).rejects.toThrow("the keychain is locked");
  expect([second.session.status, items.items.size]).toEqual(["signed-out", 0]);
});

it("a start that fails after a sign-in does not undo it", async () => {
  await using app = await testApp();
  const gate = Promise.withResolvers<null>();
  const storage: TokenStorage = { ...syncStorage(), getItem: () => gate.promise };
  using client = tab(app, storage);
  const starting = client.start();
  await client.register(alice);
  gate.reject(new Error("the keychain is locked"));
  expect(await starting).toMatchObject({ status: "signed-in" });
});

it("a sign-in after a start that failed is told to the other tabs", async () => {
  await using app = await testApp();
  const items = syncStorage();
  let isLocked = true;
  const storage: TokenStorage = {
    ...items,
    getItem(name) {
      if (isLocked) throw new Error("the keychain is locked");
      return items.getItem(name);
    },
  };
  using first = tab(app, storage);
  expect(await first.start()).toMatchObject({ status: "starting" });
  isLocked = false;
  using second = tab(app, items);
  await second.start();
  await first.register(alice);
  await expect.poll(() => second.session).toMatchObject({ user: { username: "alice" } });
});

it("other tabs are told why a session has ended", async () => {
  await using app = await testApp();
  const items = syncStorage();
  using first = tab(app, items);
  const { id } = await first.register(alice);
  using second = tab(app, items);
  await second.start();
  await (await administrator(app)).disable({ id });
  await expectReason(first.trpc.read.query(), "SESSION_REVOKED");
  await expect.poll(() => second.session).toEqual({ status: "signed-out", reason: "SESSION_REVOKED" });
});

it("a storage that takes nothing more costs the other tabs no session on the server", async () => {
  await using app = await testApp();
  const place = filling();
  using first = tab(app, place.storage);
  await first.register(alice);
  using second = tab(app, place.storage);
  await second.start();
  place.isFull = true;
  await app.clock.advance({ minutes: 16 });
  expect(await first.trpc.read.query()).toBe("read");
  await expect.poll(() => second.session.status).toBe("signed-out");
  await app.clock.advance({ minutes: 16 });
  expect(await first.trpc.read.query()).toBe("read");
});
