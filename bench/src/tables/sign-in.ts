/** Sign-ins, and refreshes. */
import { startPostgres } from "@countersign/tests/postgres-server";
import { type Bench, inTurns, type Outcome } from "../bench.ts";
import type { Contestant } from "../contestant.ts";
import { startLoad } from "../load.ts";
import { flood, requestsOf } from "../measure.ts";
import { startScript } from "../script.ts";
import { figureOf, inDigits, ratioOf, withSpread } from "../statistics.ts";
import { type Field, startBareArgon2, startOurs } from "../systems.ts";

/** Enough to have the next password at hand when one is done. */
const connections = 4;
const bareName = "a route that compares a password, and does nothing else";

/**
 * Where each has two cores, as a machine has: on one, what goes on beside a hash would be counted as its cost. The load shares
 * them, and takes little.
 */
export async function signIns(bench: Bench, { all }: Field): Promise<Outcome> {
  await using stack = new AsyncDisposableStack();
  const load = stack.use(startLoad("both"));
  const mine = stack.use(await startOurs(bench, { name: "sign-in", core: "both" }));
  const bare = stack.use(await startBareArgon2("both"));
  const [ours, ...peers] = all.filter(({ hash }) => hash !== undefined);
  const login = (contestant: Contestant, seconds: number) => () =>
    flood({ ...bench, load }, contestant, requestsOf(contestant, "login"), { connections, seconds }).then(
      ({ perSecond }) => perSecond,
    );
  const work = { mine: login(mine, bench.seconds * 2), bare: login(bare, bench.seconds * 2) };
  await inTurns(bench.isQuick ? 1 : 2, { mine: work.mine });
  const samples = await inTurns(bench.rounds, work);
  // Who takes a second for four passwords is counted for longer, and not as often.
  const seconds = bench.seconds * 8;
  const peerSamples = await inTurns(
    Math.ceil(bench.rounds / 4),
    Object.fromEntries(peers.map(({ name, contestant }) => [name, login(contestant, seconds)])),
  );
  const [rate, bareRate] = [figureOf(samples.mine), figureOf(samples.bare)];
  return {
    ratios: [
      {
        work: "sign-in against the bare argon2 rate",
        measured: ratioOf(samples.mine, samples.bare),
        limit: 0.95,
        isLeast: true,
      },
    ],
    table: {
      title: "Sign-in",
      text: `Sign-ins a second over ${connections} connections. What a password costs is a choice: a faster row is not a better one. The first two have two cores and hash one password at a time, the others one core, and do as they do; they are counted for ${seconds} s at a time.`,
      head: ["system", "sign-ins/s", "hash"],
      rows: [
        ["Countersign", withSpread(rate), ours?.hash ?? ""],
        [bareName, withSpread(bareRate), ours?.hash ?? ""],
        ...peers.map(({ name, hash = "" }) => [name, withSpread(figureOf(peerSamples[name] ?? [])), hash]),
      ],
    },
  };
}

/** Of how many sessions at once; the limit is held where there are as many as there are connections that sign in. */
const sessionsAtOnce = [1, connections, 16];

type RefreshRates = { refresh: number; update: number };

export async function refreshes(bench: Bench): Promise<Outcome> {
  await using postgres = await startPostgres();
  const databases = { SQLite: `file:${bench.file("refresh.db")}`, PostgreSQL: postgres.url };
  await using stack = new AsyncDisposableStack();
  const cases: { database: string; atOnce: number; measure(): Promise<RefreshRates> }[] = [];
  for (const [database, DATABASE_URL] of Object.entries(databases)) {
    const script = stack.use(
      await startScript<{ seconds: number; atOnce: number }, RefreshRates>("refresh", {
        env: { DATABASE_URL },
        core: "both",
      }),
    );
    await script.run({ seconds: bench.warmUpSeconds, atOnce: connections });
    for (const atOnce of bench.isQuick ? [connections] : sessionsAtOnce) {
      cases.push({ database, atOnce, measure: () => script.run({ seconds: bench.seconds, atOnce }) });
    }
  }
  const work = Object.fromEntries(cases.map(({ database, atOnce, measure }) => [`${database} ${atOnce}`, measure]));
  const samples = await inTurns(bench.rounds, work);
  const figures = cases.map(({ database, atOnce }) => {
    const each = samples[`${database} ${atOnce}`] ?? [];
    const [refreshes, updates] = [each.map(({ refresh }) => refresh), each.map(({ update }) => update)];
    const ratio = ratioOf(refreshes, updates);
    return { database, atOnce, refresh: figureOf(refreshes), update: figureOf(updates), ratio };
  });
  return {
    ratios: figures
      .filter(({ atOnce }) => atOnce === connections)
      .map(({ database, ratio }) => ({
        work: `refresh against the bare conditional update, ${database}, ${connections} at once`,
        measured: ratio,
        limit: 0.5,
        isLeast: true,
      })),
    table: {
      title: "Refresh",
      text: "By the router's own caller, beside the bare update of a row that a refresh is at least, of one session or of several at once. Both have two cores: the disk is waited for, and a token signed, beside the thread that answers. What is done is on the disk.",
      head: ["database", "at once", "refreshes/s", "bare updates/s", "ratio"],
      rows: figures.map(({ database, atOnce, refresh, update, ratio }) => [
        database,
        String(atOnce),
        withSpread(refresh),
        withSpread(update),
        inDigits(ratio),
      ]),
    },
  };
}
