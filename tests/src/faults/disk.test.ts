/** Disks that are full, that may not be written, that are damaged, or whose files somebody deletes: clear refusals, nothing lost, and a way back. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, it, vi } from "vitest";
import { ledger } from "../support/ledger.ts";
import { isLong } from "../support/long-tests.ts";
import { type OneNodeOptions, secret, startNode } from "../support/node-process.ts";
import { kill, type Server } from "../support/server-process.ts";
import { smallDisk } from "../support/small-disk.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { type Answer, call, password, signIn, signUp, whoami } from "../support/wire.ts";
import { workplace } from "../support/workplace.ts";

vi.setConfig({ testTimeout: 60_000 });

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A node on a file. Ends with its test, unless it ended before. */
async function nodeOn(path: string, options: OneNodeOptions = {}): Promise<Server & { kill(): Promise<void> }> {
  const { child, server } = startNode(`file:${path}`, options);
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) await kill(child);
  };
  stops.push(stop);
  return { ...(await server), kill: stop };
}

/** What an operator of the real command has set. */
const operatorOf = (path: string) => ({
  DATABASE_URL: `file:${path}`,
  PORT: "0",
  COUNTERSIGN_SECRET: secret,
  COUNTERSIGN_ISSUER: "https://fleet.example",
});

const readiness = async (url: string) => {
  const reply = await fetch(`${url}/readyz`);
  return { status: reply.status, body: await reply.json() };
};

/** Asks again and again until it is refused, and returns that answer. */
async function untilRefused(ask: () => Promise<Answer>): Promise<Answer> {
  for (let time = 0; time < 2_000; time += 1) {
    const answer = await ask();
    if (answer.reason !== null) return answer;
  }
  return expect.fail("it is never refused");
}

function expectUnavailable({ status, reason, headers }: Answer): void {
  expect({ status, reason, retryAfter: headers.get("retry-after") }).toEqual({
    status: 503,
    reason: "UNAVAILABLE",
    retryAfter: "1",
  });
}

/** Ends a server as an operator does, and leaves all that it wrote in one file. */
async function settle(node: Server, path: string): Promise<void> {
  node.signal("SIGTERM");
  await node.ended;
  using db = new DatabaseSync(path);
  db.exec("pragma wal_checkpoint(truncate)");
}

function expectIntact(path: string): void {
  using db = new DatabaseSync(path);
  expect(db.prepare("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
}

it("a full disk refuses what has to be written, and takes it again when there is room", async (context) => {
  await using disk = await smallDisk(4_096);
  if (disk === null) return context.skip("no tmpfs can be mounted");
  const path = disk.file("auth.db");
  const node = await nodeOn(path);
  const { url } = node;
  const alice = await signUp(url, "alice");
  const people = ledger();
  for (let count = 0; count < 5; count += 1) expect((await people.signUp(url)).reason).toBeNull();

  disk.fill();
  expectUnavailable(await untilRefused(() => people.refresh(url)));
  expectUnavailable(await people.signUp(url));
  expect(await whoami(url, alice)).toMatchObject({ status: 200 });
  await vi.waitFor(async () =>
    expect(await readiness(url)).toEqual({
      status: 503,
      body: { status: "unavailable", problem: "The database cannot be written." },
    }),
  );
  expect(node.output()).toContain("SQLITE_FULL");

  disk.free();
  await people.expectKept(url);
  await vi.waitFor(async () => expect(await readiness(url)).toMatchObject({ status: 200 }), { timeout: 5_000 });
  const known = people.count();
  expect((await people.signUp(url)).reason).toBeNull();
  expect(people.count()).toBe(known + 1);

  await node.kill();
  await people.expectKept((await nodeOn(path)).url);
  expectIntact(path);
});

it("a server that is killed while the disk is full comes back with all that it said, and takes more when there is room", async (context) => {
  await using disk = await smallDisk(4_096);
  if (disk === null) return context.skip("no tmpfs can be mounted");
  const path = disk.file("auth.db");
  const node = await nodeOn(path);
  const alice = await signUp(node.url, "alice");
  const people = ledger();
  for (let count = 0; count < 5; count += 1) await people.signUp(node.url);
  disk.fill();
  expectUnavailable(await untilRefused(() => people.refresh(node.url)));
  await node.kill();

  const { url } = await nodeOn(path);
  expect(await whoami(url, alice)).toMatchObject({ status: 200 });
  expectUnavailable(await untilRefused(() => people.refresh(url)));
  expect(await readiness(url)).toMatchObject({ status: 503 });
  disk.free();
  await people.expectKept(url);
  expectIntact(path);
});

it.for(isLong ? (["disk", "file"] as const) : (["file"] as const))(
  "a %s that may only be read is told of at the start, and changes nothing",
  async (what, context) => {
    await using disk = await smallDisk(4_096);
    if (disk === null) return context.skip("no tmpfs can be mounted");
    const path = disk.file("auth.db");
    const people = ledger();
    const node = await nodeOn(path);
    await people.signUp(node.url);
    await settle(node, path);

    await (what === "disk" ? disk.makeReadOnly() : disk.makeFileReadOnly("auth.db"));
    await using place = workplace();
    for (const command of isLong ? ["serve", "doctor"] : ["serve"]) {
      const { code, stdout, stderr } = await place.run([command], { env: operatorOf(path) });
      expect(code, command).toBe(1);
      // SQLite says it of the file, or of the -wal that it cannot make.
      expect(stdout + stderr).toMatch(/Let the user of this process write|the user of this process may read and write/);
    }
    await (what === "disk" ? disk.makeWritable() : disk.makeFileWritable("auth.db"));
    await people.expectKept((await nodeOn(path)).url);
  },
);

const pageSize = 4_096;

/** Writes nonsense over pages, which are counted from 1. */
function damage(path: string, pages: readonly number[]): void {
  const file = openSync(path, "r+");
  for (const page of pages) writeSync(file, Buffer.alloc(pageSize, 0xa5), 0, pageSize, (page - 1) * pageSize);
  closeSync(file);
}

it("a damaged file lets nobody in, is told of, and its copy takes its place", async () => {
  await using folder = await temporaryFolder();
  const path = folder.file("auth.db");
  const first = await nodeOn(path);
  const people = ledger();
  for (let count = 0; count < 5; count += 1) await people.signUp(first.url);
  await settle(first, path);
  copyFileSync(path, folder.file("copy.db"));

  // All but the first, which says that it is a database.
  damage(
    path,
    Array.from({ length: statSync(path).size / pageSize - 1 }, (_, index) => index + 2),
  );
  await using place = workplace();
  const env = operatorOf(path);
  const { code, stderr } = await place.run(["serve"], { env });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining("is damaged, or is not an SQLite database. Restore it from a backup"),
  });
  expect((await place.run(["doctor"], { env })).stdout).toContain("is damaged");

  copyFileSync(folder.file("copy.db"), path);
  await people.expectKept((await nodeOn(path)).url);
  expectIntact(path);
});

it("of a file that is damaged in part, what needs that part is refused, and the rest goes on", async () => {
  await using folder = await temporaryFolder();
  const path = folder.file("auth.db");
  const first = await nodeOn(path);
  const alice = await signUp(first.url, "alice");
  await settle(first, path);
  // What is read by nothing but a sign-in.
  damage(path, [rootPageOf(path, "accounts_username_key")]);
  const node = await nodeOn(path);
  const { url } = node;

  for (const username of ["alice", "nobody"]) {
    expectUnavailable(await call(url, "auth.login", { input: { username, password } }));
  }
  expect(node.output()).toContain("SQLITE_CORRUPT");
  expect(await whoami(url, alice)).toMatchObject({ status: 200 });
  expect((await call(url, "auth.refresh", { input: { refreshToken: alice.refreshToken } })).reason).toBeNull();
});

function rootPageOf(path: string, index: string): number {
  using db = new DatabaseSync(path, { readOnly: true });
  return Number(db.prepare("select rootpage from sqlite_schema where name = ?").get(index)?.rootpage);
}

it("a write-ahead log that somebody deletes loses nothing that was told to be done", async () => {
  await using folder = await temporaryFolder();
  const path = folder.file("auth.db");
  const node = await nodeOn(path);
  const people = ledger();
  for (let count = 0; count < 5; count += 1) await people.signUp(node.url);
  expect(existsSync(`${path}-wal`)).toBe(true);
  rmSync(`${path}-wal`);

  expectUnavailable(await people.refresh(node.url));
  expectUnavailable(await people.signUp(node.url));
  await vi.waitFor(async () => expect(await readiness(node.url)).toMatchObject({ status: 503 }), { timeout: 5_000 });
  expect(node.output()).toContain("was deleted. Nothing is lost: stop the server, and start it again.");

  await node.kill();
  const again = await nodeOn(path);
  await people.expectKept(again.url);
  expect(people.count()).toBe(5);
  expectIntact(path);
});

it("what stands in for the file after its end is no database", async () => {
  await using folder = await temporaryFolder();
  const path = folder.file("auth.db");
  writeFileSync(path, "This is not a database, and has more letters than its header would have.".repeat(100));
  await using place = workplace();
  const { code, stderr } = await place.run(["serve"], { env: operatorOf(path) });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("is not an SQLite database") });
  expect(readFileSync(path, "utf8")).toContain("This is not a database");
});

// The same as above, in other ways.
if (isLong) {
  it.runIf(process.platform !== "win32")("a file that must not grow is as a full disk, until it may", async () => {
    await using folder = await temporaryFolder();
    const path = folder.file("auth.db");
    const node = await nodeOn(path, { fileKiB: 1_024 });
    const people = ledger();
    for (let count = 0; count < 5; count += 1) await people.signUp(node.url);
    expectUnavailable(await untilRefused(() => people.refresh(node.url)));
    expect(node.output()).toMatch(/SQLITE_(IOERR|FULL)/);
    await node.kill();
    await people.expectKept((await nodeOn(path)).url);
    expectIntact(path);
  });

  it("an account that was told to be there is there when the file is on a disk again that was gone", async () => {
    await using folder = await temporaryFolder();
    const path = folder.file("auth.db");
    const node = await nodeOn(path);
    await signUp(node.url, "alice");
    // Moved away with all that belongs to it, as by a backup that was meant well.
    for (const suffix of ["", "-wal", "-shm"]) {
      copyFileSync(`${path}${suffix}`, folder.file(`moved.db${suffix}`));
      rmSync(`${path}${suffix}`);
    }
    expectUnavailable(await call(node.url, "auth.login", { input: { username: "alice", password } }));
    await node.kill();
    await signIn((await nodeOn(folder.file("moved.db"))).url, "alice");
  });
}
