/** Whether those who are signed in notice when others sign in. */
import { type Bench, inTurns, type Outcome } from "../bench.ts";
import { startLoad } from "../load.ts";
import { requestOf, requestsOf, warmUp } from "../measure.ts";
import { figureOf, inDigits, ratioOf } from "../statistics.ts";
import { startOurs } from "../systems.ts";

const perSecond = 300;
const signingIn = 16;

export async function underAFlood(bench: Bench): Promise<Outcome> {
  await using mine = await startOurs(bench, { name: "flood", core: "both" });
  await using flooding = startLoad("both");
  await warmUp(bench, mine, "query");
  const seconds = bench.arrivalSeconds * 3;
  const arrive = () => bench.load.arrive({ url: mine.url, request: requestOf(mine, "query"), perSecond, seconds });
  const samples = await inTurns(Math.ceil(bench.rounds / 4), {
    idle: arrive,
    async flooded() {
      const logins = flooding.flood({
        url: mine.url,
        requests: requestsOf(mine, "login"),
        connections: signingIn,
        seconds: seconds + 1,
        staysAwake: false,
      });
      await new Promise((resolve) => setTimeout(resolve, 500));
      const calls = await arrive();
      await logins;
      return calls;
    },
  });
  const p99 = (key: keyof typeof samples) => samples[key].map((each) => each.p99);
  const row = (name: string, key: keyof typeof samples) => [
    name,
    ...(["p50", "p99", "p999"] as const).map((at) => inDigits(figureOf(samples[key].map((each) => each[at])).median)),
  ];
  return {
    ratios: [
      {
        work: "protected p99 while sign-ins flood, against idle, two cores",
        measured: ratioOf(p99("flooded"), p99("idle")),
        limit: 3,
        isLeast: false,
      },
    ],
    table: {
      title: "While others sign in",
      text: `Protected tRPC queries, ${perSecond} a second, while nobody signs in, and while ${signingIn} do at once, again and again. The server has two cores, and shares them with the load.`,
      head: ["", "p50 ms", "p99 ms", "p999 ms"],
      rows: [row("idle", "idle"), row("sign-ins", "flooded")],
    },
  };
}
