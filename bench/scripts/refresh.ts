/** How many refreshes a second, and how many bare conditional updates of the same row of the same database. */
import { createAuth } from "@countersign/server";
import { postgres } from "@countersign/server/postgres";
import { sqlite } from "@countersign/server/sqlite";
import Sqlite from "better-sqlite3";
import pg from "pg";
import { environment } from "../servers/environment.ts";
import { signUp } from "../src/sign-up.ts";
import { answerJobs, timeOf } from "./answer-jobs.ts";

const { databaseUrl } = environment;
const isPostgres = databaseUrl.startsWith("postgres:");
const auth = createAuth({
  database: isPostgres ? postgres(databaseUrl) : sqlite(databaseUrl),
  secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
  issuer: "https://auth.example",
});
await auth.start();
let { refreshToken } = await signUp(auth);
const other = await signUp(auth, { username: "bob" });
const caller = auth.router.createCaller(await auth.createContext({ req: new Request("https://auth.example") }));

async function refresh(): Promise<void> {
  ({ refreshToken } = await caller.refresh({ refreshToken }));
}

const session = JSON.parse(Buffer.from(other.accessToken.split(".")[1] ?? "", "base64url").toString()).sid as string;
const update = isPostgres ? await bareOnPostgres() : bareOnSqlite();

async function bareOnPostgres(): Promise<() => Promise<unknown>> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  let generation = 0;
  const text =
    "update sessions set generation = generation + 1, rotated_at = now() where id = $1 and generation = $2 and revoked_at is null and expires_at > now()";
  return async () => {
    const { rowCount } = await client.query({ name: "bare", text, values: [session, generation] });
    if (rowCount !== 1) throw new Error("nothing was updated");
    generation += 1;
  };
}

function bareOnSqlite(): () => Promise<unknown> {
  const handle = new Sqlite(new URL(databaseUrl).pathname);
  // As ours has it: what is committed is on the disk.
  handle.pragma("journal_mode = WAL");
  handle.pragma("synchronous = FULL");
  let generation = 0;
  const statement = handle.prepare(
    "update sessions set generation = generation + 1, rotated_at = ? where id = ? and generation = ? and revoked_at is null and expires_at > ?",
  );
  return async () => {
    if (statement.run(Date.now(), session, generation, Date.now()).changes !== 1)
      throw new Error("nothing was updated");
    generation += 1;
  };
}

/** One after the other, again and again: a disk that has just written writes the next page sooner. */
answerJobs(async ({ seconds }: { seconds: number }) => {
  const spent = { refresh: 0, update: 0 };
  const until = performance.now() + seconds * 2_000;
  let count = 0;
  for (; performance.now() < until; count += 1) {
    spent.refresh += await timeOf(refresh);
    spent.update += await timeOf(update);
  }
  return { refresh: (count * 1_000) / spent.refresh, update: (count * 1_000) / spent.update };
});
