/**
 * `npm run bench`: ours beside its peers, in one run, and what our own parts take. Prints each table as it is done, and writes
 * results.md and results.svg. `npm run bench -- quick` does the same in about a minute, with figures that are rougher.
 */
import { createBench, type Outcome } from "./src/bench.ts";
import { limitsOf, tableOf, writeReport } from "./src/report.ts";
import { preparePeers, startField } from "./src/systems.ts";
import { client } from "./src/tables/client.ts";
import { connections, queries, twoProcesses } from "./src/tables/queries.ts";
import { refreshes, signIns } from "./src/tables/sign-in.ts";
import { startUp } from "./src/tables/start-up.ts";
import { underAFlood } from "./src/tables/under-a-flood.ts";
import { verifier } from "./src/tables/verifier.ts";
import { whoAmI } from "./src/tables/who-am-i.ts";

const isQuick = process.argv.includes("quick");
const begun = performance.now();
console.log("Installing the peers …");
const { systems: peers, skipped } = preparePeers();
await using bench = await createBench({ isQuick });
await using field = await startField(bench, peers);
for (const why of skipped) console.log(`Skipped: ${why}`);

const outcomes: Outcome[] = [];
for (const [what, measure] of [
  ["who am I, of each", () => whoAmI(bench, field)],
  ["queries", () => queries(bench)],
  ["sign-ins", () => signIns(bench, field)],
  ["refreshes", () => refreshes(bench)],
  ["a verifier", () => verifier(bench)],
  ["calls while others sign in", () => underAFlood(bench)],
  ["more connections", () => connections(bench, field)],
  ["two processes", () => twoProcesses(bench)],
  ["start-up", () => startUp(bench, isQuick ? [] : peers)],
  ["the client", () => client(bench)],
] as const) {
  console.log(`\nMeasuring ${what} …`);
  const outcome = await measure();
  const { title, text, head, rows } = outcome.table;
  console.log(`\n${title}\n${text}\n\n${tableOf(head, rows)}`);
  outcomes.push(outcome);
}
// A ratio of two quarters of a second would call limits broken that hold.
const limits = limitsOf(outcomes.flatMap(({ ratios }) => ratios));
console.log(`\n${isQuick ? "Whether the limits hold, the whole run says, and npm run bench:gate." : limits}`);
const command = `npm run bench${isQuick ? " -- quick" : ""}`;
if (!isQuick) await writeReport(outcomes, { command, date: new Date(), skipped });
console.log(
  `\n${Math.round((performance.now() - begun) / 1_000)} seconds.${isQuick ? "" : " Written to bench/results.md."}`,
);
