/** One measurement of a server under load: how fast, and at what cost. */
import type { Bench } from "./bench.ts";
import type { Contestant } from "./contestant.ts";
import type { LoadResult } from "./load.ts";
import type { BenchRequest } from "./request.ts";

export interface Sample extends LoadResult {
  /** Of the server's process, as the system counts it. */
  readonly cpuMicroseconds: number;
  readonly rssMiB: number;
}

export interface FloodOptions {
  readonly connections?: number;
  readonly seconds?: number;
}

/** Asks as fast as it answers. */
export async function flood(
  { load, seconds: usual }: Bench,
  contestant: Contestant,
  requests: readonly BenchRequest[],
  { connections = 32, seconds = usual }: FloodOptions = {},
): Promise<Sample> {
  const before = await contestant.usage();
  const { url, hasOwnCore } = contestant;
  const result = await load.flood({ url, requests, connections, seconds, staysAwake: hasOwnCore });
  const after = await contestant.usage();
  const cpuMicroseconds = ((after.cpuMs - before.cpuMs) * 1_000) / result.replies;
  return { ...result, cpuMicroseconds, rssMiB: after.rssMiB };
}

/** The requests of a name. @throws {Error} when the server has none. */
export function requestsOf({ requests }: Contestant, name: string): readonly BenchRequest[] {
  const asked = requests[name];
  if (asked === undefined) throw new Error(`the server has no request "${name}"`);
  return asked;
}

/** The first of them. @throws {Error} likewise. */
export function requestOf(contestant: Contestant, name: string): BenchRequest {
  const [request] = requestsOf(contestant, name);
  if (request === undefined) throw new Error(`the server has no request "${name}"`);
  return request;
}

/** Asks until the compiler is done with it. */
export async function warmUp(bench: Bench, contestant: Contestant, name: string): Promise<void> {
  await flood(bench, contestant, requestsOf(contestant, name), { seconds: bench.warmUpSeconds });
}
