/** Sign-ins, and refreshes. */
import { startPostgres } from "@countersign/tests/postgres-server";
import { type Bench, inTurns, type Outcome } from "../bench.ts";
import type { Contestant } from "../contestant.ts";
import { startLoad } from "../load.ts";
import { flood, requestsOf } from "../measure.ts";
import { startScript } from "../script.ts";
import { figureOf, inDigits, withSpread } from "../statistics.ts";
import { type Field, startBareArgon2, startOurs } from "../systems.ts";

/** Enough to have the next password at hand when one is done. */
const connections = 4;
const bareName = "a route that compares a password, and does nothing else";

/**
 * Where each has two cores, as a machine has: on one, what goes on beside a hash would be counted as its cost. The load shares
 * them, and takes little.
 */
export async function signIns(bench: Bench, { all }: Field): Promise<Outcome> {
  const seconds = Math.max(1.5, bench.seconds * 2);
  await using stack = new AsyncDisposableStack();
  const load = stack.use(startLoad("both"));
  const mine = stack.use(await startOurs(bench, { name: "sign-in", core: "both" }));
  const bare = stack.use(await startBareArgon2("both"));
  const [ours, ...peers] = all.filter(({ hash }) => hash !== undefined);
  const login = (contestant: Contestant) => () =>
    flood({ ...bench, load }, contestant, requestsOf(contestant, "login"), { connections, seconds }).then(
      ({ perSecond }) => perSecond,
    );
  const work = {
    mine: login(mine),
    bare: login(bare),
    ...Object.fromEntries(peers.map(({ name, contestant }) => [name, login(contestant)])),
  };
  await inTurns(bench.isQuick ? 1 : 2, { mine: work.mine });
  const samples = await inTurns(bench.rounds, work);
  const [rate, bareRate] = [figureOf(samples.mine), figureOf(samples.bare)];
  return {
    ratios: [
      {
        work: "sign-in against the bare argon2 rate",
        measured: rate.median / bareRate.median,
        limit: 0.95,
        isLeast: true,
      },
    ],
    table: {
      title: "Sign-in",
      text: `Sign-ins a second over ${connections} connections. What a password costs is a choice: a faster row is not a better one. The first two have two cores and hash one password at a time, the others one core, and do as they do.`,
      head: ["system", "sign-ins/s", "hash"],
      rows: [
        ["Countersign", withSpread(rate), ours?.hash ?? ""],
        [bareName, withSpread(bareRate), ours?.hash ?? ""],
        ...peers.map(({ name, hash = "" }) => [name, withSpread(figureOf(samples[name as "mine"])), hash]),
      ],
    },
  };
}

export async function refreshes(bench: Bench): Promise<Outcome> {
  await using postgres = await startPostgres();
  const databases = { SQLite: `file:${bench.file("refresh.db")}`, PostgreSQL: postgres.url };
  await using stack = new AsyncDisposableStack();
  const work: Record<string, () => Promise<{ refresh: number; update: number }>> = {};
  for (const [name, DATABASE_URL] of Object.entries(databases)) {
    const script = stack.use(
      await startScript<{ seconds: number }, { refresh: number; update: number }>("refresh", { env: { DATABASE_URL } }),
    );
    work[name] = () => script.run({ seconds: bench.seconds });
  }
  await inTurns(1, work);
  const samples = await inTurns(bench.rounds, work);
  const figures = Object.entries(samples).map(([name, each]) => {
    const [refresh, update] = [
      figureOf(each.map(({ refresh }) => refresh)),
      figureOf(each.map(({ update }) => update)),
    ];
    return { name, refresh, update, ratio: refresh.median / update.median };
  });
  return {
    ratios: figures.map(({ name, ratio }) => ({
      work: `refresh against the bare conditional update, ${name}`,
      measured: ratio,
      limit: 0.5,
      isLeast: true,
    })),
    table: {
      title: "Refresh",
      text: "One after the other, by the router's own caller, beside the bare update of a row that a refresh is at least. Both are on the disk when they are done.",
      head: ["database", "refreshes/s", "bare updates/s", "ratio"],
      rows: figures.map(({ name, refresh, update, ratio }) => [
        name,
        withSpread(refresh),
        withSpread(update),
        inDigits(ratio),
      ]),
    },
  };
}
