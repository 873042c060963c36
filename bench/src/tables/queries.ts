/** What else is asked of a tRPC server: batches, many people at once, more and more connections, a second process. */
import { type Bench, inTurns, type Outcome } from "../bench.ts";
import { startLoad } from "../load.ts";
import { flood, requestOf, requestsOf, warmUp } from "../measure.ts";
import { figureOf, inDigits, withSpread } from "../statistics.ts";
import { type Field, startOurs } from "../systems.ts";

/** As many as the cache of verified tokens keeps. */
const manyTokens = 10_000;

export async function queries(bench: Bench): Promise<Outcome> {
  await using mine = await startOurs(bench, { name: "queries", tokens: bench.isQuick ? 1_000 : manyTokens });
  const query = requestOf(mine, "query");
  const ofMany = mine.tokens.map((token) => ({ ...query, headers: { authorization: `Bearer ${token}` } }));
  await warmUp(bench, mine, "query");
  await warmUp(bench, mine, "batch");
  const samples = await inTurns(bench.rounds, {
    query: () => flood(bench, mine, [query]),
    batch: () => flood(bench, mine, requestsOf(mine, "batch")),
    ofMany: () => flood(bench, mine, ofMany),
  });
  const row = (name: string, key: keyof typeof samples, calls: number) => {
    const rate = figureOf(samples[key].map(({ perSecond }) => perSecond * calls));
    const cost = figureOf(samples[key].map(({ cpuMicroseconds }) => cpuMicroseconds / calls));
    return [name, withSpread(rate), inDigits(cost.median)];
  };
  return {
    ratios: [],
    table: {
      title: "Protected tRPC queries",
      text: "Calls, and not requests, over 32 connections.",
      head: ["what is asked", "calls/s", "CPU µs a call"],
      rows: [
        row("one query a request", "query", 1),
        row("ten in a batch", "batch", 10),
        row(`by ${mine.tokens.length.toLocaleString("en")} tokens in turn`, "ofMany", 1),
      ],
    },
  };
}

export async function connections(bench: Bench, { all }: Field): Promise<Outcome> {
  const counts = bench.isQuick ? [1, 100] : [1, 10, 100, 1_000];
  const rows: string[][] = [];
  for (const { name, contestant } of all) {
    const request = contestant.requests.me === undefined ? "query" : "me";
    const rates: string[] = [];
    for (const connections of counts) {
      const { perSecond } = await flood(bench, contestant, requestsOf(contestant, request), { connections });
      rates.push(inDigits(perSecond));
    }
    rows.push([name, ...rates]);
  }
  return {
    ratios: [],
    table: {
      title: "More connections",
      text: '"Who am I?" again: requests a second over so many connections at once.',
      head: ["system", ...counts.map((count) => count.toLocaleString("en"))],
      rows,
    },
  };
}

export async function twoProcesses(bench: Bench): Promise<Outcome> {
  const options = { name: "two", core: "both" } as const;
  await using first = await startOurs(bench, options);
  await using loads = new AsyncDisposableStack();
  // As many as there are servers, on the same cores: a machine of two has no third one for them.
  const [one, other] = [loads.use(startLoad("both")), loads.use(startLoad("both"))];
  await warmUp(bench, first, "query");
  await using second = await startOurs(bench, options);
  await warmUp(bench, second, "query");
  const ask = (of: typeof first, by: typeof one) =>
    flood({ ...bench, load: by }, of, requestsOf(of, "query"), { connections: 16 }).then(({ perSecond }) => perSecond);
  const both = async (a: Promise<number>, b: Promise<number>) => (await a) + (await b);
  const rates = await inTurns(bench.rounds, {
    one: () => both(ask(first, one), ask(first, other)),
    two: () => both(ask(first, one), ask(second, other)),
  });
  const [alone, together] = [figureOf(rates.one), figureOf(rates.two)];
  return {
    ratios: [],
    table: {
      title: "Two processes on two cores",
      text: "Protected tRPC queries a second. The load has no cores of its own here: it takes its share of both.",
      head: ["processes", "requests/s"],
      rows: [
        ["one", withSpread(alone)],
        ["two", withSpread(together)],
      ],
    },
  };
}
