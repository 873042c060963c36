import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { signingAlgorithms } from "../crypto/signing-key.ts";
import type { Db } from "../deps.ts";
import { appendFeedEvent, readFeedAfter } from "../store/feed-events.ts";
import { migrate } from "../store/migrate.ts";
import { listSigningKeys } from "../store/signing-keys.ts";
import { sqlite } from "../store/sqlite.ts";
import { createKeyRing, type KeyRing, type KeyRingOptions } from "./key-ring.ts";

const start = 1_800_000_000_000;
const minute = 60_000;
const secret = new Uint8Array(32).fill(7);
const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));

let db: Db;
let time: number;
let statements: string[];
const now = () => time;

beforeEach(async () => {
  time = start;
  statements = [];
  db = await sqlite(":memory:", { onStatement: (sql) => statements.push(sql) }).open();
  await migrate(db, { now });
});

afterEach(() => db.destroy());

function openRing(options: Partial<KeyRingOptions> = {}) {
  return createKeyRing({
    db,
    now,
    randomBytes,
    secrets: [secret],
    accessTtlSeconds: 900,
    clockToleranceSeconds: 5,
    ...options,
  });
}

const kidsOf = (keys: readonly { readonly kid: string }[]) => keys.map(({ kid }) => kid);

describe("at the start", () => {
  test.each(signingAlgorithms)("makes one key for %s, which signs at once", async (algorithm) => {
    const ring = await openRing({ algorithm });
    expect(ring.current()).toMatchObject({ algorithm });
    expect(await ring.current().sign("jwt", "{}")).toMatch(/^[\w-]+\.e30\.[\w-]+$/);
    expect(ring.list()).toEqual([
      {
        kid: ring.current().kid,
        algorithm,
        status: "current",
        createdAt: new Date(start),
        activatesAt: new Date(start),
        endsAt: null,
      },
    ]);
    expect((await ring.keyFor(ring.current().kid))?.algorithm).toBe(algorithm);
  });

  test("finds the key that was made before", async () => {
    const kid = (await openRing()).current().kid;
    expect((await openRing()).current().kid).toBe(kid);
    expect(await listSigningKeys(db)).toHaveLength(1);
  });

  test("two starters on one connection make one key", async () => {
    const [one, two] = await Promise.all([openRing(), openRing()]);
    expect(one.current().kid).toBe(two.current().kid);
    expect(await listSigningKeys(db)).toHaveLength(1);
  });

  test("two starters on two connections make one key", async () => {
    const folder = await mkdtemp(join(tmpdir(), "key-ring-"));
    const connections = await Promise.all([1, 2, 3].map(() => sqlite(join(folder, "app.db")).open()));
    try {
      await migrate(connections[0] as Db, { now });
      const rings = await Promise.all(connections.map((connection) => openRing({ db: connection })));
      expect(new Set(rings.map((ring) => ring.current().kid)).size).toBe(1);
      expect(await listSigningKeys(connections[0] as Db)).toHaveLength(1);
    } finally {
      for (const connection of connections) await connection.destroy();
      await rm(folder, { recursive: true });
    }
  });

  test("a secret is changed: the keys are opened with an accepted one, and sealed anew with the current", async () => {
    const { kid } = (await openRing()).current();
    const next = new Uint8Array(32).fill(8);
    const ring = await openRing({ secrets: [next, secret] });
    expect(ring.current().kid).toBe(kid);
    expect([await ring.reseal(), await ring.reseal()]).toEqual([1, 0]);
    expect((await openRing({ secrets: [next] })).current().kid).toBe(kid);
    await expect(openRing()).rejects.toMatchObject({ problem: "another_secret" });
  });

  test("another secret stops the start, and says what to do", async () => {
    await openRing();
    const error = await openRing({ secrets: [new Uint8Array(32).fill(8)] }).catch((caught) => caught);
    expect(error).toMatchObject({ name: "SealingError", problem: "another_secret" });
    expect(error.message).toContain("were sealed with another secret");
    expect(error.message).toContain("COUNTERSIGN_SECRET");
    expect(error.message).toContain("delete the rows of the table signing_keys");
    expect(await listSigningKeys(db)).toHaveLength(1);
  });

  test.each<[string, (kid: string) => Promise<unknown>]>([
    [
      "a damaged key",
      () =>
        db
          .updateTable("signing_keys")
          .set({ sealed_key: new Uint8Array(60).fill(1) })
          .execute(),
    ],
    ["a key under another id", () => db.updateTable("signing_keys").set({ id: "another" }).execute()],
    ["a key for another algorithm", () => db.updateTable("signing_keys").set({ algorithm: "ES256" }).execute()],
  ])("%s stops the start", async (_, change) => {
    const ring = await openRing();
    await change(ring.current().kid);
    await expect(openRing()).rejects.toMatchObject({ name: "SealingError" });
  });

  test("nothing secret lies open in the table", async () => {
    for (const algorithm of signingAlgorithms) await (await openRing({ algorithm })).rotate({ immediately: true });
    for (const { sealed_key: sealed } of await listSigningKeys(db)) {
      expect(Buffer.from(sealed).toString("latin1")).not.toMatch(/kty|"[dk]":/);
    }
  });

  test("another algorithm makes no key: a command may run without the server's environment", async () => {
    const { kid } = (await openRing()).current();
    expect(kidsOf((await openRing({ algorithm: "ES256" })).list())).toEqual([kid]);
  });

  test("another algorithm is the next key's, and the former key still verifies", async () => {
    const before = (await openRing()).current().kid;
    time += minute;
    const ring = await openRing({ algorithm: "ES256" });
    await ring.rotate({ immediately: true });
    expect(ring.current().algorithm).toBe("ES256");
    expect(await ring.keyFor(before)).toMatchObject({ algorithm: "EdDSA" });
    expect(kidsOf(ring.jwks().keys)).toEqual([before, ring.current().kid]);
  });

  test("a node that finds no key, while another makes the first one, has that one", async () => {
    let other: KeyRing | undefined;
    const late = db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        other ??= await openRing();
        return result;
      },
    });
    const ring = await openRing({ db: late });
    expect(kidsOf(ring.list())).toEqual(kidsOf(other?.list() ?? []));
  });

  test("a key that signs at once drops one that waits, for it would take over later", async () => {
    const first = await openRing();
    await first.rotate();
    const ring = await openRing({ algorithm: "ES256" });
    await ring.rotate({ immediately: true });
    time += 60 * minute;
    expect(ring.current().algorithm).toBe("ES256");
    expect(ring.list()).toHaveLength(2);
  });

  test("a node whose clock is behind the first key's signs with it all the same", async () => {
    const { kid } = (await openRing()).current();
    time -= 3_000;
    expect((await openRing()).current().kid).toBe(kid);
  });
});

describe("rotation", () => {
  test("publishes the next key for longer than the JWKS is cached, then signs with it", async () => {
    const ring = await openRing();
    const first = ring.current().kid;
    const next = await ring.rotate();
    expect(next).toMatchObject({ status: "next", activatesAt: new Date(start + 10 * minute), endsAt: null });
    expect(kidsOf(ring.jwks().keys)).toEqual([first, next.kid]);
    expect(await ring.keyFor(next.kid)).not.toBeNull();

    time = start + 10 * minute - 1;
    expect(ring.current().kid).toBe(first);
    time += 1;
    expect(ring.current().kid).toBe(next.kid);
    expect(ring.list().map(({ status }) => status)).toEqual(["former", "current"]);
  });

  test("keeps the former key until every token that it signed has expired, and no longer", async () => {
    const ring = await openRing();
    const first = ring.current().kid;
    const next = await ring.rotate();
    const end = next.activatesAt.getTime() + (900 + 5 + 60) * 1_000;
    expect(ring.list()[0]?.endsAt).toEqual(new Date(end));

    time = end - 1;
    expect(kidsOf(ring.jwks().keys)).toEqual([first, next.kid]);
    expect(await ring.keyFor(first)).not.toBeNull();
    expect(await ring.prune()).toBe(0);
    time = end;
    expect(kidsOf(ring.jwks().keys)).toEqual([next.kid]);
    expect(await ring.keyFor(first)).toBeNull();
    expect(await ring.prune()).toBe(1);
    expect(kidsOf(ring.list())).toEqual([next.kid]);
  });

  test("asked for twice, makes one next key", async () => {
    const ring = await openRing();
    const next = await ring.rotate();
    time += minute;
    expect((await ring.rotate()).kid).toBe(next.kid);
    const other = await openRing();
    expect((await other.rotate()).kid).toBe(next.kid);
    expect(ring.list()).toHaveLength(2);
  });

  test("at once, signs with a new key now, even within the millisecond of the last", async () => {
    const ring = await openRing();
    for (let count = 2; count < 6; count += 1) {
      const added = await ring.rotate({ immediately: true });
      expect(added).toMatchObject({ status: "current" });
      expect(ring.current().kid).toBe(added.kid);
      expect(ring.list()).toHaveLength(count);
    }
  });

  test("at once, drops a key that waits, but none that another node's faster clock signs with already", async () => {
    const ring = await openRing();
    const waiting = await ring.rotate();
    const added = await ring.rotate({ immediately: true });
    expect(kidsOf(ring.list())).not.toContain(waiting.kid);

    time -= 30_000;
    const again = await ring.rotate({ immediately: true });
    expect(kidsOf(ring.list())).toEqual(expect.arrayContaining([added.kid, again.kid]));
    time += 30_000;
    expect(ring.current().kid).toBe(again.kid);
  });

  test("of compromised keys forgets them all, and tells whoever trusted them", async () => {
    const ring = await openRing();
    const first = ring.current().kid;
    await ring.rotate();
    let removals = 0;
    ring.onRemoved(() => (removals += 1));
    const added = await ring.rotate({ compromised: true });
    expect(kidsOf(ring.list())).toEqual([added.kid]);
    expect(added.status).toBe("current");
    expect(await ring.keyFor(first)).toBeNull();
    expect(removals).toBe(1);
  });

  test("is due by age, once", async () => {
    const ring = await openRing({ keyLifetimeSeconds: 3_600 });
    time = start + 60 * minute - 1;
    expect(await ring.rotateIfDue()).toBeNull();
    time += 1;
    const rings = await Promise.all([openRing({ keyLifetimeSeconds: 3_600 }), openRing({ keyLifetimeSeconds: 3_600 })]);
    const added = await Promise.all([ring, ...rings].map((each) => each.rotateIfDue()));
    expect(added.filter((key) => key !== null)).toMatchObject([{ status: "next" }]);
    expect(await listSigningKeys(db)).toHaveLength(2);
  });

  test("is due where the newest waits for a time of a clock that was ahead", async () => {
    const ring = await openRing();
    const first = ring.current().kid;
    time = start + 3_650 * 1_440 * minute;
    const early = await ring.rotateIfDue();
    time = start;
    const next = await ring.rotateIfDue();
    expect(next).toMatchObject({ status: "next", activatesAt: new Date(start + 10 * minute) });
    expect(kidsOf(ring.list())).toEqual([first, next?.kid]);
    expect(kidsOf(ring.list())).not.toContain(early?.kid);
    expect(await ring.rotateIfDue()).toBeNull();
    time = start + 10 * minute;
    expect(ring.current().kid).toBe(next?.kid);
  });

  test("appends to the feed, and does its caller's work, in one transaction", async () => {
    const ring = await openRing();
    const before = (await readFeedAfter(db, 0)).at(-1)?.id ?? 0;
    const { kid } = await ring.rotate();
    expect(await readFeedAfter(db, before)).toMatchObject([{ kind: "keys_changed", subject: kid, version: null }]);

    const failing = ring.rotate({
      immediately: true,
      async within(trx, key) {
        await appendFeedEvent(trx, { kind: "keys_changed", subject: key.kid, version: null }, now());
        throw new Error("the audit is gone");
      },
    });
    await expect(failing).rejects.toThrow("the audit is gone");
    expect(await readFeedAfter(db, before)).toHaveLength(1);
    expect(await listSigningKeys(db)).toHaveLength(2);
    expect(ring.list()).toHaveLength(2);
  });

  test("the first key is in the feed too", async () => {
    const ring = await openRing();
    expect(await readFeedAfter(db, 0)).toMatchObject([{ kind: "keys_changed", subject: ring.current().kid }]);
  });
});

describe("another node", () => {
  test("has the new key when it reads again", async () => {
    const [one, two] = [await openRing(), await openRing()];
    const next = await one.rotate();
    expect(kidsOf(two.list())).not.toContain(next.kid);
    await two.reload();
    expect(two.list()).toEqual(one.list());
  });

  test("finds a key that it was not told of yet", async () => {
    const [one, two] = [await openRing(), await openRing()];
    const { kid } = await one.rotate({ immediately: true });
    expect((await two.keyFor(kid))?.kid).toBe(kid);
  });

  test("hears that a key is gone", async () => {
    const [one, two] = [await openRing(), await openRing()];
    let removals = 0;
    two.onRemoved(() => (removals += 1));
    await one.rotate();
    await two.reload();
    expect(removals).toBe(0);
    await one.rotate({ compromised: true });
    await two.reload();
    expect(removals).toBe(1);
  });

  test("set to another algorithm signs with the newest key all the same", async () => {
    const one = await openRing();
    const two = await openRing({ algorithm: "ES256" });
    await two.rotate({ immediately: true });
    await one.reload();
    expect(one.current().kid).toBe(two.current().kid);
  });
});

describe("unknown keys", () => {
  test("cost one read a second, however many tokens name them", async () => {
    const ring = await openRing();
    statements.length = 0;
    for (let count = 0; count < 50; count += 1) expect(await ring.keyFor(`unknown-${count}`)).toBeNull();
    expect(statements).toHaveLength(1);
    time += 1_000;
    await Promise.all(Array.from({ length: 50 }, (_, count) => ring.keyFor(`unknown-${count}`)));
    expect(statements).toHaveLength(2);
  });

  test("are looked for again where the last time was of a clock that was ahead", async () => {
    const [one, two] = [await openRing(), await openRing()];
    time = start + 60 * minute;
    expect(await two.keyFor("unknown")).toBeNull();
    time = start;
    const { kid } = await one.rotate({ immediately: true });
    expect((await two.keyFor(kid))?.kid).toBe(kid);
  });

  test("known keys cost none", async () => {
    const ring = await openRing();
    statements.length = 0;
    for (let count = 0; count < 50; count += 1) expect(await ring.keyFor(ring.current().kid)).not.toBeNull();
    expect(statements).toEqual([]);
  });

  test("are not called wrong while the database cannot be read: they may be new", async () => {
    const ring = await openRing();
    await db.schema.alterTable("signing_keys").renameTo("elsewhere").execute();
    for (let count = 0; count < 2; count += 1) {
      await expect(ring.keyFor("unknown")).rejects.toMatchObject({ reason: "UNAVAILABLE" });
    }
    expect(await ring.keyFor(ring.current().kid)).not.toBeNull();
    await db.schema.alterTable("elsewhere").renameTo("signing_keys").execute();
    time += 1_000;
    expect(await ring.keyFor("unknown")).toBeNull();
  });
});

test("the JWKS has no secret, and no HS256 key", async () => {
  for (const algorithm of signingAlgorithms) await (await openRing({ algorithm })).rotate({ immediately: true });
  const { keys } = (await openRing({ algorithm: "HS256" })).jwks();
  expect([...new Set(keys.map(({ alg }) => alg))].sort()).toEqual(["ES256", "EdDSA", "RS256"]);
  for (const key of keys) {
    for (const name of ["d", "p", "q", "dp", "dq", "qi", "k"]) expect(key).not.toHaveProperty(name);
  }
});
