/** A reply that says done means on disk: what the process asks of the system, in its order. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import pg from "pg";
import { expect, it } from "vitest";
import { isLong } from "../support/long-tests.ts";
import { startNode } from "../support/node-process.ts";
import { kill } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { createDatabase } from "../support/test-database.ts";
import { type Answer, call, password, refresh, signUp, type Tokens } from "../support/wire.ts";

/** Why system calls cannot be watched here; `null` where they can. */
function whyNoTrace(): string | null {
  try {
    execFileSync("strace", ["-o", "/dev/null", "true"], { stdio: "ignore" });
    return null;
  } catch (error) {
    return `strace does not run here: ${String(error).split("\n")[0]}`;
  }
}

/** All that a process asks of the system about files and connections, until it is read. */
async function traced(pid: number, file: string) {
  const calls = "trace=fdatasync,fsync,pwrite64,write,writev,sendto,sendmsg";
  const strace = spawn("strace", ["-f", "-y", "-s", "64", "-e", calls, "-o", file, "-p", String(pid)]);
  // It has seen nothing of what came before it says so, and one thread is as good as another.
  await once(strace.stderr, "data");
  return {
    async read(): Promise<readonly string[]> {
      strace.kill("SIGINT");
      await once(strace, "close");
      return readFileSync(file, "utf8").split("\n");
    },
  };
}

type Ask = (url: string, alice: Tokens) => Promise<Answer>;

const asked: readonly [what: string, ask: Ask][] = [
  ["a sign-in", (url) => call(url, "auth.login", { input: { username: "alice", password } })],
  ["a sign-up", (url) => call(url, "auth.register", { input: { username: "bob", password } })],
  ["a refresh", (url, alice) => refresh(url, alice)],
  [
    "a new password",
    (url, { accessToken: token }) => {
      const input = { currentPassword: password, newPassword: `${password} 2` };
      return call(url, "auth.changePassword", { input, token });
    },
  ],
  ["a sign-out", (url, { refreshToken }) => call(url, "auth.logout", { input: { refreshToken } })],
];

const reason = whyNoTrace();
if (reason !== null) console.log(reason);

it.skipIf(reason !== null).each(asked.filter((_, index) => isLong || index % 2 === 0))(
  "%s is on the disk before it is answered",
  { timeout: 60_000 },
  async (_, ask) => {
    await using folder = await temporaryFolder();
    const { child, server } = startNode(`file:${folder.file("auth.db")}`);
    try {
      const { url } = await server;
      const alice = await signUp(url, "alice");
      const trace = await traced(child.pid ?? expect.fail("no process"), folder.file("trace"));
      expect((await ask(url, alice)).reason).toBeNull();
      const lines = await trace.read();

      const replied = lines.findIndex((line) => /HTTP\/1\.1 200/.test(line));
      const before = lines.slice(0, replied);
      const written = before.findLastIndex((line) => /pwrite64\(\d+<.*auth\.db-wal>/.test(line));
      const begun = before.findIndex((line, index) => index > written && /fdatasync\(\d+<.*auth\.db-wal>/.test(line));
      const synced = /fdatasync(\(\d+<.*auth\.db-wal>\)| resumed>.*\)) += 0/;
      const ended = before.findIndex((line, index) => index >= begun && synced.test(line));
      const order = { written, begun, ended, replied };
      // Each is there, and they come in this order.
      expect(Math.min(...Object.values(order)), lines.slice(-40).join("\n")).toBeGreaterThanOrEqual(0);
      expect([written < begun, begun <= ended, ended < replied]).toEqual([true, true, true]);
    } finally {
      await kill(child);
    }
  },
);

it("on PostgreSQL, a commit waits for as much as the database says", { timeout: 60_000 }, async () => {
  const url = await createDatabase();
  const client = new pg.Client(url);
  await client.connect();
  // The database that the tests share is faster than it is safe; this is more than its default.
  await client.query(`alter database ${new URL(url).pathname.slice(1)} set synchronous_commit = 'remote_apply'`);
  await client.query(`
    create table seen (setting text);
    create function note() returns trigger language plpgsql as $$
      begin insert into seen values (current_setting('synchronous_commit')); return null; end $$;
    create trigger note after insert on sessions execute function note();`);
  const { child, server } = startNode(url);
  try {
    await signUp((await server).url, "alice");
    expect((await client.query("select setting from seen")).rows).toEqual([{ setting: "remote_apply" }]);
  } finally {
    await kill(child);
    await client.end();
  }
});
