/** A server that has been used for long is as it was: sessions come and go, and memory, handles and files stay as large as they are. */
import { randomInt } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { isLong } from "../support/long-tests.ts";
import { startNode, turnClock } from "../support/node-process.ts";
import { kill } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { call, refresh, signIn, signUp, type Tokens, whoami } from "../support/wire.ts";

const minutes = isLong ? 30 : 0.05;
/** How often all of it is looked at. */
const looks = isLong ? 30 : 4;
const people = 20;
/** How often each of them does something: what is as large as it was is so under as much use, on a fast machine as on a slow one. */
const pauseMs = 60;
const day = 86_400_000;

interface Look {
  /** In MiB. */
  readonly memory: number;
  readonly handles: number;
  /** Of all files of the database, in MiB. */
  readonly files: number;
}

function lookAt(pid: number, folder: string): Look {
  const kib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  const sizes = readdirSync(folder).map((name) => statSync(`${folder}/${name}`).size);
  return {
    memory: kib / 1_024,
    handles: readdirSync(`/proc/${pid}/fd`).length,
    files: sizes.reduce((sum, size) => sum + size, 0) / 1_048_576,
  };
}

/** What somebody does all day, at a pace of their own. Returns how often something was done. */
async function live(url: string, username: string, isOver: () => boolean): Promise<number> {
  let done = 0;
  let tokens: Tokens | null = null;
  for (const begun = performance.now(); !isOver(); done += 1) {
    await sleep(Math.max(0, begun + done * pauseMs - performance.now()));
    tokens ??= await signIn(url, username);
    const what = randomInt(20);
    if (what < 12) {
      const { reason } = await whoami(url, tokens);
      if (reason !== null && reason !== "TOKEN_EXPIRED") tokens = null;
    } else if (what < 17) {
      const { reason, data } = await refresh(url, tokens);
      // Each session ends some day: by its time, or because the clock is turned.
      tokens = reason === null ? (data as Tokens) : null;
    } else if (what < 18) {
      await call(url, "auth.logout", { input: { refreshToken: tokens.refreshToken } });
      tokens = null;
    } else if (what < 19) tokens = null;
    else
      await call(url, "auth.login", { input: { username: `stranger-${randomInt(1e9)}`, password: "a wrong guess" } });
  }
  return done;
}

it.runIf(process.platform === "linux")(`of ${minutes} minutes`, { timeout: minutes * 60_000 + 120_000 }, async () => {
  await using folder = await temporaryFolder();
  const own = {
    endedSessionRetentionSeconds: 3_600,
    auditRetentionSeconds: day / 1_000,
    limits: { loginsPerAddress: 1_000_000 },
  };
  const { child, server } = startNode(`file:${folder.file("auth.db")}`, {
    env: { TEST_NODE_OPTIONS: JSON.stringify(own) },
  });
  try {
    const { url } = await server;
    const pid = child.pid ?? expect.fail("no process");
    for (let count = 0; count < people; count += 1) await signUp(url, `person-${count}`);
    let isOver = false;
    const lives = Array.from({ length: people }, (_, index) => live(url, `person-${index}`, () => isOver));
    const seen: Look[] = [];
    for (let look = 0; look < looks; look += 1) {
      await sleep((minutes * 60_000) / looks);
      seen.push(lookAt(pid, folder.path));
      // Weeks go by: what has ended is removed by the next housekeeping.
      await turnClock(child, (look + 1) * 10 * day);
    }
    isOver = true;
    const done = (await Promise.all(lives)).reduce((sum, each) => sum + each, 0);
    console.log(
      `${done} calls; ${seen.map((look) => `${look.memory.toFixed(0)} MB, ${look.handles} handles, ${look.files.toFixed(1)} MB of files`).join("; ")}`,
    );
    expect(done).toBeGreaterThan(people * looks);
    // Whoever is signed in at the end still is.
    await whoami(url, await signIn(url, "person-0"));

    const [first, ...later] = seen.slice(Math.floor(looks / 2));
    const last = later.at(-1) ?? expect.fail("seen once");
    // Each of them may have a call on its way, by a connection of its own, while it is looked at.
    expect(last.handles).toBeLessThan((first?.handles ?? 0) + people);
    if (!isLong) return;
    expect(last.memory).toBeLessThan((first?.memory ?? 0) * 1.1);
    expect(last.files).toBeLessThan((first?.files ?? 0) * 1.1);
  } finally {
    await kill(child);
  }
});
