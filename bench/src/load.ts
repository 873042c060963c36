/** The other end of the load's process. */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Core, spawnOn } from "./pinned.ts";
import type { BenchRequest } from "./request.ts";

export interface LoadOptions {
  readonly url: string;
  /** Asked in turn. */
  readonly requests: readonly BenchRequest[];
  readonly connections: number;
  readonly seconds: number;
  /** Whether it may take its core for itself, where no server needs it, so that nobody has to wake it. */
  readonly staysAwake: boolean;
}

export interface RateOptions {
  readonly url: string;
  readonly request: BenchRequest;
  readonly perSecond: number;
  readonly seconds: number;
  /** The most connections at a time. Default: 256. */
  readonly connections?: number;
}

export interface LoadResult {
  /** Replies a second. */
  readonly perSecond: number;
  readonly replies: number;
  /** Requests that got no reply, or one that is no success. */
  readonly failures: number;
  /** Latencies, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export interface Load extends AsyncDisposable {
  /** As fast as the server answers. @throws {Error} when a request failed: a figure of refusals would be none. */
  flood(options: LoadOptions): Promise<LoadResult>;
  /** At a fixed rate of arrival. @throws {Error} likewise. */
  arrive(options: RateOptions): Promise<LoadResult>;
}

/** Starts the process of a load. */
export function startLoad(core: Core = "load"): Load {
  const worker = fileURLToPath(new URL("load-worker.ts", import.meta.url));
  const child = spawnOn(core, process.execPath, [worker], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  async function ask(job: { flood: LoadOptions } | { rate: RateOptions }): Promise<LoadResult> {
    const answer = once(child, "message");
    child.send(job);
    const [result] = (await answer) as [LoadResult];
    if (result.failures > 0)
      throw new Error(`${result.failures} requests failed: ${JSON.stringify(job).slice(0, 300)}`);
    return result;
  }
  return {
    flood: (flood) => ask({ flood }),
    arrive: (rate) => ask({ rate }),
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, "exit");
    },
  };
}
