/** Many more sign-ins than passwords can be compared: who is signed in does not notice, who is refused is told so at once, and it is over when it is over. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { isLong } from "../support/long-tests.ts";
import { startNode } from "../support/node-process.ts";
import { collect, kill } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { call, password, signUp, type Tokens } from "../support/wire.ts";
import type { FloodOptions, FloodResult } from "./flooder.ts";

/**
 * A password takes some sixty milliseconds, as where an application chooses so: of what the default costs, fifty times as many as can be
 * compared are more than two cores can send and answer.
 */
const dear = { memoryKiB: 65_536, iterations: 3, parallelism: 1 };
const seconds = isLong ? 60 : 4;
const timesCapacity = isLong ? 50 : 10;

async function flood(options: FloodOptions): Promise<FloodResult> {
  const program = fileURLToPath(new URL("flooder.ts", import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(options)]);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`the flood ended with ${code}: ${stderr()}`);
  return JSON.parse(stdout());
}

/** How long signed-in calls take, in milliseconds, a hundred a second, each counted from when it was due. */
async function callsTake(url: string, { accessToken }: Tokens, until: Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = [];
  const under: Promise<void>[] = [];
  let isOver = false;
  void until.finally(() => {
    isOver = true;
  });
  const begun = performance.now();
  const ask = async (due: number) => {
    const reply = await fetch(`${url}/users/me`, { headers: { authorization: `Bearer ${accessToken}` } });
    await reply.arrayBuffer();
    expect(reply.status).toBe(200);
    times.push(performance.now() - due);
  };
  for (let sent = 0; !isOver; sent += 1) {
    const due = begun + sent * 10;
    const early = due - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    under.push(ask(due));
  }
  await Promise.all(under);
  return times.sort((a, b) => a - b);
}

const p99 = (times: readonly number[]) => times[Math.floor(times.length * 0.99)] ?? Number.NaN;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

it(`of ${timesCapacity} times what can be compared, for ${seconds} s`, { timeout: 240_000 }, async () => {
  await using folder = await temporaryFolder();
  const { child, server } = startNode(`file:${folder.file("auth.db")}`, {
    env: { COUNTERSIGN_TRUSTED_PROXIES: "127.0.0.1", TEST_NODE_OPTIONS: JSON.stringify({ passwordHashing: dear }) },
  });
  await using _ = { [Symbol.asyncDispose]: () => kill(child) };
  const { url } = await server;
  const alice = await signUp(url, "alice");
  for (let count = 0; count < 10; count += 1) await signUp(url, `person-${count}`);

  // What it can compare in a second, one after the other as it does.
  const begun = performance.now();
  const tries = 8;
  const input = { username: "alice", password };
  for (let time = 0; time < tries; time += 1) expect((await call(url, "auth.login", { input })).reason).toBeNull();
  const capacity = (tries * 1_000) / (performance.now() - begun);

  const idle = await callsTake(url, alice, pause(isLong ? 10_000 : 2_000));
  const flooding = flood({ url, perSecond: Math.round(capacity * timesCapacity), seconds });
  const flooded = await callsTake(url, alice, flooding);
  const result = await flooding;
  const ended = performance.now();
  expect((await call(url, "auth.login", { input })).reason).toBeNull();
  const recovered = performance.now() - ended;

  console.log(
    `capacity ${capacity.toFixed(0)}/s; p99 of signed-in calls: idle ${p99(idle).toFixed(1)} ms, flooded ${p99(flooded).toFixed(1)} ms;`,
    `recovered in ${recovered.toFixed(0)} ms; ${JSON.stringify(result)}`,
  );
  // Those with the right password, those with a wrong one, and those who were told to come again.
  expect(Object.keys(result).sort()).toEqual(["200", "401", "503"]);
  const { 200: accepted, 401: refused, 503: rejected } = result;
  expect(rejected?.withRetryAfter).toBe(rejected?.count);
  expect((accepted?.count ?? 0) + (refused?.count ?? 0)).toBeGreaterThan((capacity * seconds) / 4);
  if (!isLong) return;
  // Figures of time are of the long run alone, on a machine that does nothing else.
  expect(p99(flooded)).toBeLessThan(3 * p99(idle));
  expect(rejected?.p99).toBeLessThan(50);
  expect(accepted?.longest).toBeLessThan(20_000);
  expect(recovered).toBeLessThan(2_000);
});
