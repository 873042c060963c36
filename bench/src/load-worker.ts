/** The load: a process of its own, that is told what to do and says how it went. */
import { once } from "node:events";
import { createHistogram } from "node:perf_hooks";
import autocannon from "autocannon";
import { Pool } from "undici";
import type { LoadOptions, LoadResult, RateOptions } from "./load.ts";

/** As fast as the server answers, on so many connections: autocannon's work. */
async function flood({ url, requests, connections, seconds, staysAwake }: LoadOptions): Promise<LoadResult> {
  const histogram = createHistogram();
  const share = Math.ceil(requests.length / connections);
  let offset = 0;
  const options: autocannon.Options = {
    url,
    connections,
    duration: seconds,
    // How often it looks whether the time is over.
    sampleInt: 100,
    timeout: 30,
    // Each connection has a part of the requests, for it prepares all that it is given.
    setupClient(client) {
      const own = requests.slice(offset, offset + share);
      client.setRequests([...(own.length === 0 ? requests.slice(0, share) : own)]);
      offset += share;
    },
  };
  const run = autocannon(options, () => {});
  if (staysAwake) stayAwake(once(run, "done"));
  // Its own percentiles are whole milliseconds.
  run.on("response", (_client, _status, _bytes, milliseconds) => histogram.record(nanoseconds(milliseconds)));
  const [{ requests: answered, non2xx, errors, timeouts, duration }] = (await once(run, "done")) as [autocannon.Result];
  const replies = answered.total;
  return { perSecond: replies / duration, replies, failures: non2xx + errors + timeouts, ...percentiles(histogram) };
}

/** A process that sleeps has to be woken: in a virtual machine a sixth of what a server takes for a fast reply, at its expense. */
function stayAwake(until: Promise<unknown>): void {
  let isOver = false;
  void until.finally(() => {
    isOver = true;
  });
  const turn = () => {
    if (!isOver) setImmediate(turn);
  };
  turn();
}

/**
 * Requests that come at their times, whether those before were answered or not: what waits counts from when it was due.
 * Autocannon's own rate waits for replies, and its correction takes each millisecond for a request.
 */
async function arrive({ url, request, perSecond, seconds, connections = 256 }: RateOptions): Promise<LoadResult> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const histogram = createHistogram();
  const { method = "GET", path, headers = {}, body = null } = request;
  let failures = 0;
  const total = Math.floor(perSecond * seconds);
  const startedAt = performance.now();
  await new Promise<void>((resolve) => {
    let sent = 0;
    let answered = 0;
    function ask(due: number): void {
      pool
        .request({ path, method, headers: { ...headers }, body })
        .then(async ({ statusCode, body }) => {
          await body.dump();
          if (statusCode >= 300) failures += 1;
        })
        .catch(() => {
          failures += 1;
        })
        .finally(() => {
          histogram.record(nanoseconds(performance.now() - due));
          answered += 1;
          if (answered === total) resolve();
        });
    }
    function turn(): void {
      const dueAt = (index: number) => startedAt + (index * 1_000) / perSecond;
      for (; sent < total && dueAt(sent) <= performance.now(); sent += 1) ask(dueAt(sent));
      if (sent === total) return;
      // A timer is late by up to a millisecond, as much as what is measured. To turn all the time takes a core.
      const leftMs = dueAt(sent) - performance.now();
      if (leftMs > 2) setTimeout(turn, leftMs - 1.5);
      else setImmediate(turn);
    }
    turn();
  });
  const elapsed = (performance.now() - startedAt) / 1_000;
  await pool.close();
  return { perSecond: total / elapsed, replies: total, failures, ...percentiles(histogram) };
}

const nanoseconds = (milliseconds: number) => Math.max(1, Math.round(milliseconds * 1e6));

function percentiles(histogram: ReturnType<typeof createHistogram>) {
  const at = (percentile: number) => histogram.percentile(percentile) / 1e6;
  return { p50: at(50), p99: at(99), p999: at(99.9) };
}

process.on("message", async (job: { readonly flood: LoadOptions } | { readonly rate: RateOptions }) => {
  process.send?.("flood" in job ? await flood(job.flood) : await arrive(job.rate));
});
