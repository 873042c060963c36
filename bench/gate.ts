/** `npm run bench:gate`: the ratios that the design holds itself to (DESIGN.md §11), in one run. Fails when one does not hold. */
import { createBench, isHeld, type Ratio } from "./src/bench.ts";
import { limitsOf } from "./src/report.ts";
import { preparePeers, startField } from "./src/systems.ts";
import { client } from "./src/tables/client.ts";
import { refreshes, signIns } from "./src/tables/sign-in.ts";
import { startUp } from "./src/tables/start-up.ts";
import { underAFlood } from "./src/tables/under-a-flood.ts";
import { whoAmI } from "./src/tables/who-am-i.ts";

const { systems, skipped } = preparePeers();
const compared = systems.filter(({ name }) => name === "better-auth" || name === "FastAPI");
await using bench = await createBench({ isQuick: false });
await using field = await startField(bench, compared);
for (const why of skipped) console.log(`Skipped: ${why}`);
const ratios: Ratio[] = [];
for (const [what, measure] of [
  ["Who am I?", () => whoAmI(bench, field)],
  ["Sign-in", () => signIns(bench, field)],
  ["Refresh", () => refreshes(bench)],
  ["While others sign in", () => underAFlood(bench)],
  ["Start-up", () => startUp(bench, [])],
  ["The client", () => client(bench)],
] as const) {
  console.log(`${what} …`);
  ratios.push(...(await measure()).ratios);
}
console.log(`\n${limitsOf(ratios)}\n`);
const broken = ratios.filter((ratio) => !isHeld(ratio));
console.log(broken.length === 0 ? "All limits hold." : `${broken.length} of ${ratios.length} limits do not hold.`);
process.exitCode = broken.length === 0 ? 0 : 1;
