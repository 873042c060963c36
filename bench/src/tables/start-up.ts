/** From the start of a process to its first reply, and what it holds then. */
import { fileURLToPath } from "node:url";
import { type Bench, inTurns, type Outcome } from "../bench.ts";
import { startProgram } from "../contestant.ts";
import { figureOf, inDigits, withSpread } from "../statistics.ts";
import { type System, startBareNode } from "../systems.ts";

const folder = fileURLToPath(new URL("../../../server", import.meta.url));

export async function startUp(bench: Bench, peers: readonly System[]): Promise<Outcome> {
  const database = `file:${bench.file("start.db")}`;
  const env = {
    DATABASE_URL: database,
    COUNTERSIGN_SECRET: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
    COUNTERSIGN_ISSUER: "https://auth.example",
    LOG_LEVEL: "warn",
  };
  const program = {
    command: process.execPath,
    args: ["bin/countersign.js", "serve"],
    folder,
    env,
    core: "both",
  } as const;
  const once = async (start: () => ReturnType<typeof startProgram>) => {
    await using started = await start();
    return { firstReplyMs: started.firstReplyMs, rssMiB: (await started.usage()).rssMiB };
  };
  const name = "countersign serve, SQLite";
  const work = {
    [name]: () => once(() => startProgram(program)),
    "node:http alone": () => once(startBareNode),
    ...Object.fromEntries(peers.map((peer) => [peer.name, () => once(() => peer.start(bench))])),
  };
  const samples = await inTurns(bench.isQuick ? 1 : 15, work);
  const figures = Object.entries(samples).map(([each, values]) => ({
    name: each,
    firstReplyMs: figureOf(values.map(({ firstReplyMs }) => firstReplyMs)),
    rssMiB: figureOf(values.map(({ rssMiB }) => rssMiB)),
  }));
  const mine = figures.find((each) => each.name === name);
  return {
    ratios: [
      {
        work: "start to first reply, SQLite (ms)",
        measured: mine?.firstReplyMs.median ?? 0,
        limit: 300,
        isLeast: false,
      },
      { work: "RSS then (MiB)", measured: mine?.rssMiB.median ?? 0, limit: 120, isLeast: false },
    ],
    table: {
      title: "Start-up",
      text: "From the start of the process to its first reply of any kind. Ours migrates, opens its keys, and compares its tables with what it expects before it listens.",
      head: ["system", "first reply, ms", "RSS then, MiB"],
      rows: figures.map((each) => [each.name, withSpread(each.firstReplyMs), inDigits(each.rssMiB.median)]),
    },
  };
}
