/** How many refreshes a second, and how many bare conditional updates of as many rows of the same database. */
import { createAuth } from "@countersign/server";
import { postgres } from "@countersign/server/postgres";
import { sqlite } from "@countersign/server/sqlite";
import Sqlite from "better-sqlite3";
import pg from "pg";
import { environment } from "../servers/environment.ts";
import { signUp } from "../src/sign-up.ts";
import { answerJobs } from "./answer-jobs.ts";

const { databaseUrl } = environment;
const isPostgres = databaseUrl.startsWith("postgres:");
const auth = createAuth({
  database: isPostgres ? postgres(databaseUrl) : sqlite(databaseUrl),
  secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
  issuer: "https://auth.example",
});
await auth.start();
const caller = auth.router.createCaller(await auth.createContext({ req: new Request("https://auth.example") }));

type Work = () => Promise<void>;

/** Refreshes a session of its own. */
async function startRefreshing(username: string): Promise<Work> {
  let { refreshToken } = await signUp(auth, { username });
  return async () => {
    ({ refreshToken } = await caller.refresh({ refreshToken }));
  };
}

/** Updates the row of a session that nobody refreshes. */
async function startUpdating(username: string, update: Update): Promise<Work> {
  const { accessToken } = await signUp(auth, { username });
  const session = String(JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString()).sid);
  let generation = 0;
  return async () => {
    if ((await update(session, generation)) !== 1) throw new Error("nothing was updated");
    generation += 1;
  };
}

/** A bare update of a session's row: how many rows it found. */
type Update = (session: string, generation: number) => number | null | Promise<number | null>;

function bareOnPostgres(): Update {
  // As many connections as a server of ours has.
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  // Told when the database ends, which is when the benchmark does.
  pool.on("error", () => {});
  const text =
    "update sessions set generation = generation + 1, rotated_at = now() where id = $1 and generation = $2 and revoked_at is null and expires_at > now()";
  return async (session, generation) => {
    const { rowCount } = await pool.query({ name: "bare", text, values: [session, generation] });
    return rowCount;
  };
}

function bareOnSqlite(): Update {
  const handle = new Sqlite(new URL(databaseUrl).pathname);
  // As with ours, what is done is on the disk.
  handle.pragma("journal_mode = WAL");
  handle.pragma("synchronous = FULL");
  const statement = handle.prepare(
    "update sessions set generation = generation + 1, rotated_at = ? where id = ? and generation = ? and revoked_at is null and expires_at > ?",
  );
  return (session, generation) => statement.run(Date.now(), session, generation, Date.now()).changes;
}

const mostAtOnce = 16;
const update = isPostgres ? bareOnPostgres() : bareOnSqlite();
const refreshing: Work[] = [];
const updating: Work[] = [];
for (let number = 0; number < mostAtOnce; number += 1) {
  refreshing.push(await startRefreshing(`alice-${number}`));
  updating.push(await startUpdating(`bob-${number}`, update));
}

/** How many are done a second, where each is done again and again. */
async function rateOf(works: readonly Work[], seconds: number): Promise<number> {
  const begun = performance.now();
  let count = 0;
  const repeat = async (work: Work) => {
    for (; performance.now() - begun < seconds * 1_000; count += 1) await work();
  };
  await Promise.all(works.map(repeat));
  return (count * 1_000) / (performance.now() - begun);
}

const turns = 5;

/** In short turns: a disk that has just written writes the next page sooner, and that is for both. */
answerJobs(async ({ seconds, atOnce }: { seconds: number; atOnce: number }) => {
  const rates = { refresh: 0, update: 0 };
  for (let turn = 0; turn < turns; turn += 1) {
    rates.refresh += (await rateOf(refreshing.slice(0, atOnce), seconds / turns)) / turns;
    rates.update += (await rateOf(updating.slice(0, atOnce), seconds / turns)) / turns;
  }
  return rates;
});
