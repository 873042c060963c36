/**
 * What a million accounts and five million sessions cost: the same calls on a full PostgreSQL and on an empty one, in turns,
 * so that what else the machine does meets both alike. `npm run bench:scale`; `-- quick` fills a hundredth.
 */
import { type Auth, createAuth } from "@countersign/server";
import { postgres } from "@countersign/server/postgres";
import { runStatement, startPostgres } from "@countersign/tests/postgres-server";

/** The most that a call on the full database may take of the same on the empty one (DESIGN.md §11). */
const limit = 1.2;
const isQuick = process.argv.includes("quick");
const accounts = isQuick ? 10_000 : 1_000_000;
const sessionsEach = 5;
const rounds = isQuick ? 50 : 400;
const password = "correct horse battery staple";

/** As an application would have it, but for what a password costs. */
const authOn = (url: string): Auth =>
  createAuth({
    database: postgres(url),
    secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
    issuer: "https://auth.example",
    passwordHashing: { memoryKiB: 8, iterations: 1, parallelism: 1 },
  });

async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  process.stdout.write(`${what} … `);
  const begun = performance.now();
  const answer = await work();
  console.log(`${((performance.now() - begun) / 1_000).toFixed(1)} s`);
  return answer;
}

/** The people that are measured are there on both sides, in the middle of all others. */
const people = Array.from({ length: 20 }, (_, index) => `user5${String(index).padStart(5, "0")}`);

async function populate(auth: Auth): Promise<void> {
  const caller = auth.router.createCaller(await contextOf(auth));
  for (const username of people) {
    await caller.register({ username, password, email: `${username}@example.com` });
  }
}

async function fill(url: string): Promise<void> {
  const indexes = [
    ["accounts_username_key", "unique", "accounts (username_key)"],
    ["accounts_email_key", "unique", "accounts (email_key)"],
    ["sessions_account_id", "", "sessions (account_id)"],
    ["sessions_expires_at", "", "sessions (expires_at)"],
  ] as const;
  for (const [name] of indexes) await runStatement(url, `drop index ${name}`);
  await step(`Filling ${accounts.toLocaleString("en")} accounts`, () =>
    runStatement(
      url,
      `insert into accounts (id, username, username_key, email, email_key, password_hash, roles, version, created_at, updated_at)
       select uuidv7(), name, name, name || '@example.com', name || '@example.com',
         (select password_hash from accounts limit 1), '[]', 1, now(), now()
       from generate_series(1, ${accounts}) as number, lateral (select 'other' || lpad(number::text, 8, '0') as name) as named`,
    ),
  );
  await step(`Filling ${(accounts * sessionsEach).toLocaleString("en")} sessions`, () =>
    runStatement(
      url,
      `insert into sessions (id, account_id, client_id, generation, salt, scope, amr, auth_time, created_at, rotated_at, expires_at, ends_at)
       select uuidv7(), id::text, 'countersign', 0, decode(md5(random()::text), 'hex'), '', 'pwd', now(), now(), now(),
         now() + interval '30 days', now() + interval '365 days'
       from accounts, generate_series(1, ${sessionsEach}) where username like 'other%'`,
    ),
  );
  await step("Making its indexes", async () => {
    for (const [name, unique, on] of indexes) await runStatement(url, `create ${unique} index ${name} on ${on}`);
    await runStatement(url, "vacuum analyze");
  });
}

const contextOf = (auth: Auth, token?: string) =>
  auth.createContext({
    req: new Request(
      "https://auth.example",
      token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
    ),
  });

/** What is measured. @param options.everybody The beginning of most names. */
async function callsOn(auth: Auth, { url, everybody }: { url: string; everybody: string }) {
  const nobody = auth.router.createCaller(await contextOf(auth));
  let turn = 0;
  const next = () => {
    turn += 1;
    return people[turn % people.length] ?? "";
  };
  let tokens = await nobody.login({ username: people[0] ?? "", password });
  // An administrator is made by hand, as the command line does it.
  await runStatement(
    url,
    `update accounts set roles = '["admin"]', version = version + 1 where username = '${people[1]}'`,
  );
  const { accessToken } = await nobody.login({ username: people[1] ?? "", password });
  const boss = auth.usersRouter.createCaller(await contextOf(auth, accessToken));
  const own = auth.router.createCaller(await contextOf(auth, tokens.accessToken));
  return {
    login: () => nobody.login({ username: next(), password }),
    async refresh() {
      tokens = await nobody.refresh({ refreshToken: tokens.refreshToken });
    },
    "session list": () => own.sessions.list(),
    "admin list": () => boss.list({ limit: 20 }),
    "admin list, from the middle": () => boss.list({ limit: 20, cursor: people[0] ?? "" }),
    "admin search": () => boss.list({ limit: 20, search: people[3] ?? "" }),
    "admin search, everybody": () => boss.list({ limit: 20, search: everybody }),
    async "start-up"() {
      await using another = authOn(url);
      await another.start();
    },
  };
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

const median = (times: readonly number[]) =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;

await using server = await step("Starting a PostgreSQL", () =>
  startPostgres([
    "-c",
    "fsync=off",
    "-c",
    "shared_buffers=1GB",
    "-c",
    "max_wal_size=8GB",
    "-c",
    "maintenance_work_mem=512MB",
  ]),
);
const urlOf = (name: string) => Object.assign(new URL(server.url), { pathname: name }).href;
const sides = { empty: urlOf("empty"), full: urlOf("full") };
for (const name of Object.keys(sides)) await runStatement(server.url, `create database "${name}"`);
await using empty = authOn(sides.empty);
await using full = authOn(sides.full);
await populate(empty);
await populate(full);
await fill(sides.full);
await runStatement(sides.empty, "vacuum analyze");

const calls = {
  empty: await callsOn(empty, { url: sides.empty, everybody: "user" }),
  full: await callsOn(full, { url: sides.full, everybody: "other" }),
};
const rows: Record<string, string>[] = [];
let isWithin = true;
for (const name of Object.keys(calls.empty) as (keyof typeof calls.empty)[]) {
  const times = { empty: [] as number[], full: [] as number[] };
  const turns = name === "start-up" ? Math.ceil(rounds / 10) : rounds;
  // The first tenth warms up.
  for (let round = -turns / 10; round < turns; round += 1) {
    for (const side of ["empty", "full"] as const) {
      const time = await timeOf(calls[side][name]);
      if (round >= 0) times[side].push(time);
    }
  }
  const ratio = median(times.full) / median(times.empty);
  isWithin &&= ratio <= limit;
  rows.push({
    call: name,
    "empty, ms": median(times.empty).toFixed(2),
    "full, ms": median(times.full).toFixed(2),
    ratio: ratio.toFixed(2),
  });
}
console.table(rows);
console.log(
  isWithin ? `Nothing takes more than ${limit} of the time.` : `Something takes more than ${limit} of the time.`,
);
process.exitCode = isWithin ? 0 : 1;
