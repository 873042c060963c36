/** "Who am I?", asked of every system. */
import { type Bench, inTurns, type Outcome, type Ratio } from "../bench.ts";
import type { Contestant } from "../contestant.ts";
import { flood, requestOf, requestsOf, warmUp } from "../measure.ts";
import { type Figure, figureOf, inDigits, ratioOf, withSpread } from "../statistics.ts";
import { type Field, startBareHono } from "../systems.ts";

const arrivalsPerSecond = 500;

/** What one line of the table asks. */
interface Line {
  readonly contestant: Contestant;
  readonly request: string;
  readonly checks: string;
}

const usersMe = "Countersign, `GET /users/me`";
const protectedQuery = "Countersign, protected tRPC query";
const publicQuery = "Countersign, public tRPC query";
const bareHono = "a bare Hono route";

export async function whoAmI(bench: Bench, { mine, all }: Field): Promise<Outcome> {
  const [ours, ...peers] = all;
  // It checks nothing: what it takes is what a reply of this size takes.
  await using bare = await startBareHono(mine);
  const lines: Record<string, Line> = {
    [usersMe]: { contestant: mine, request: "me", checks: ours?.checks ?? "" },
    [bareHono]: {
      contestant: { ...bare, requests: mine.requests },
      request: "me",
      checks: "nothing: the request and the reply of `GET /users/me`",
    },
    [protectedQuery]: { contestant: mine, request: "query", checks: "the same" },
    [publicQuery]: { contestant: mine, request: "open", checks: "nothing: the same request, and a reply of that size" },
  };
  for (const { name, checks, contestant } of peers) {
    lines[name] = { contestant, request: contestant.requests.me === undefined ? "query" : "me", checks };
  }

  const eachOf = <T>(work: (line: Line) => Promise<T>) =>
    Object.fromEntries(Object.entries(lines).map(([name, line]) => [name, () => work(line)]));
  for (const { contestant, request } of Object.values(lines)) await warmUp(bench, contestant, request);
  const floods = await inTurns(
    bench.rounds,
    eachOf(({ contestant, request }) => flood(bench, contestant, requestsOf(contestant, request))),
  );
  const arrivals = await inTurns(
    bench.isQuick ? 1 : 3,
    eachOf(({ contestant, request }) =>
      bench.load.arrive({
        url: contestant.url,
        request: requestOf(contestant, request),
        perSecond: arrivalsPerSecond,
        seconds: bench.arrivalSeconds,
      }),
    ),
  );

  const rates = (name: string) => (floods[name] ?? []).map(({ perSecond }) => perSecond);
  const rateOf = (name: string): Figure => figureOf(rates(name));
  const ratio = (of: string, against: string) => ratioOf(rates(of), rates(against));
  const rows = Object.entries(lines)
    .sort(([one], [other]) => rateOf(other).median - rateOf(one).median)
    .map(([name, { checks, contestant }]) => {
      const [samples = [], waits = []] = [floods[name], arrivals[name]];
      return [
        name,
        withSpread(rateOf(name)),
        contestant === mine ? "" : inDigits(ratio(lines[name]?.request === "query" ? protectedQuery : usersMe, name)),
        inDigits(figureOf(samples.map(({ cpuMicroseconds }) => cpuMicroseconds)).median),
        ...[waits.map(({ p50 }) => p50), waits.map(({ p99 }) => p99), waits.map(({ p999 }) => p999)].map((values) =>
          inDigits(figureOf(values).median),
        ),
        inDigits(samples.at(-1)?.rssMiB ?? 0),
        checks,
      ];
    });
  const limits: readonly (Ratio & { readonly against: string })[] = [
    {
      work: "protected query against a public one",
      measured: ratio(protectedQuery, publicQuery),
      limit: 0.95,
      against: publicQuery,
    },
    {
      work: "protected query against better-auth's get-session",
      measured: ratio(protectedQuery, "better-auth"),
      limit: 10,
      against: "better-auth",
    },
    {
      work: "protected query against FastAPI's /users/me",
      measured: ratio(protectedQuery, "FastAPI"),
      limit: 3,
      against: "FastAPI",
    },
    {
      work: "GET /users/me against a bare Hono route",
      measured: ratio(usersMe, bareHono),
      limit: 0.8,
      against: bareHono,
    },
  ].map((each) => ({ ...each, isLeast: true }));
  return {
    ratios: limits.filter(({ against }) => lines[against] !== undefined),
    bars: Object.keys(lines).map((name) => ({ name: name.replaceAll("`", ""), value: rateOf(name).median })),
    table: {
      title: "Who am I?",
      text: `Who the bearer of a token or a cookie is, asked over 32 connections; then ${arrivalsPerSecond} requests a second whether those before were answered or not, and how long each was waited for. "× ours" is how often ours answers for one answer of theirs: \`GET /users/me\` for what is plain HTTP, the query for what is tRPC.`,
      head: ["system", "requests/s", "× ours", "CPU µs", "p50 ms", "p99 ms", "p999 ms", "RSS MiB", "checks"],
      rows,
    },
  };
}
