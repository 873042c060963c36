/** Many more sign-ins than passwords can be compared: who is signed in does not notice, who is refused is told so at once, and it is over when it is over. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { hasCores, keepToCore, stolenMs } from "../support/cores.ts";
import { isLong } from "../support/long-tests.ts";
import { startNode } from "../support/node-process.ts";
import { collect, kill } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { call, password, signUp, type Tokens } from "../support/wire.ts";
import type { FloodOptions, FloodResult } from "./flooder.ts";

/**
 * A password takes some sixty milliseconds in the long run, as where an application chooses so: of what the default costs, fifty
 * times as many as can be compared are more than the other core can send.
 */
const cost = isLong ? { memoryKiB: 65_536, iterations: 3 } : { memoryKiB: 19_456, iterations: 2 };
/** One at a time, however many cores there are: so it is that the capacity is measured. */
const passwordHashing = { ...cost, parallelism: 1, concurrency: 1 };
const seconds = isLong ? 60 : 2;
const timesCapacity = isLong ? 50 : 5;

/** Runs a program beside this file on the load's core, and returns what it prints. `until` is what it is told the end by. */
async function run<T>(name: string, options: object, until: Promise<unknown> | null = null): Promise<T> {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(options)]);
  keepToCore(child.pid, 1);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  void until?.finally(() => child.stdin.end());
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${stderr()}`);
  return JSON.parse(stdout());
}

const flood = (options: FloodOptions) => run<FloodResult>("flooder.ts", options);

/** How long the calls of somebody who is signed in take meanwhile, in milliseconds. */
const callsTake = (url: string, { accessToken: token }: Tokens, until: Promise<unknown>) =>
  run<readonly number[]>("caller.ts", { url, token }, until);

function p99(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? expect.fail("nothing was measured");
}
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

it(`of ${timesCapacity} times what can be compared, for ${seconds} s`, { timeout: 240_000 }, async () => {
  await using folder = await temporaryFolder();
  const { child, server } = startNode(`file:${folder.file("auth.db")}`, {
    env: { COUNTERSIGN_TRUSTED_PROXIES: "127.0.0.1", TEST_NODE_OPTIONS: JSON.stringify({ passwordHashing }) },
  });
  await using _ = { [Symbol.asyncDispose]: () => kill(child) };
  const { url } = await server;
  // Attackers have machines of their own.
  keepToCore(child.pid, 0);
  const alice = await signUp(url, "alice");
  for (let count = 0; count < 10; count += 1) await signUp(url, `person-${count}`);

  // What it can compare in a second, one after the other as it does.
  const begun = performance.now();
  const tries = 8;
  const input = { username: "alice", password };
  for (let time = 0; time < tries; time += 1) expect((await call(url, "auth.login", { input })).reason).toBeNull();
  const capacity = (tries * 1_000) / (performance.now() - begun);

  const stolenBefore = stolenMs();
  const idle = await callsTake(url, alice, pause(isLong ? 10_000 : 1_000));
  const flooding = flood({ url, perSecond: Math.round(capacity * timesCapacity), seconds });
  const flooded = await callsTake(url, alice, flooding);
  const result = await flooding;
  const ended = performance.now();
  expect((await call(url, "auth.login", { input })).reason).toBeNull();
  const recovered = performance.now() - ended;

  console.log(
    `capacity ${capacity.toFixed(0)}/s; p99 of signed-in calls: idle ${p99(idle).toFixed(1)} ms, flooded ${p99(flooded).toFixed(1)} ms;`,
    `recovered in ${recovered.toFixed(0)} ms; other machines took ${stolenMs() - stolenBefore} ms; ${JSON.stringify(result)}`,
  );
  // Those with the right password, those with a wrong one, and those who were told to come again.
  expect(Object.keys(result).sort()).toEqual(["200", "401", "503"]);
  const { 200: accepted, 401: refused, 503: rejected } = result;
  expect(rejected?.withRetryAfter).toBe(rejected?.count);
  expect((accepted?.count ?? 0) + (refused?.count ?? 0)).toBeGreaterThan((capacity * seconds) / 4);
  if (!isLong) return;
  if (!hasCores) {
    console.log(
      "without `taskset` and a second core, what the load takes of the server is not known: no time is judged",
    );
    return;
  }
  // Figures of time are of the long run alone, on a machine that does nothing else.
  expect(p99(flooded)).toBeLessThan(3 * p99(idle));
  expect(rejected?.p99).toBeLessThan(50);
  expect(accepted?.longest).toBeLessThan(20_000);
  expect(recovered).toBeLessThan(2_000);
});
