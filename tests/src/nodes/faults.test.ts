/** What an operator meets at night: a database that stops, hangs, is slow or full; nodes that are killed or replaced. */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { expect, it, vi } from "vitest";
import { balancer } from "../support/balancer.ts";
import { fleet } from "../support/fleet.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";
import { createDatabase } from "../support/test-database.ts";
import { type Answer, call, password, refresh, signIn, signOut, signUp, type Tokens, whoami } from "../support/wire.ts";
import { workplace } from "../support/workplace.ts";

vi.setConfig({ testTimeout: 120_000 });

const login = (url: string) => call(url, "auth.login", { input: { username: "alice", password } });

/** How long something takes, in milliseconds, and what it answers. */
async function timed<T>(work: () => Promise<T>): Promise<[milliseconds: number, answer: T]> {
  const begun = performance.now();
  const answer = await work();
  return [performance.now() - begun, answer];
}

it("PostgreSQL is stopped and started again: good tokens go on, sign-ins say when to come back, and nobody restarts a node", async () => {
  await using database = await startPostgres(["-c", "fsync=off"]);
  await using two = await fleet(2, { databaseUrl: database.url });
  const [here, there] = two.nodes.map(({ url }) => url) as [string, string];
  const tokens = await signUp(here, "alice");
  await database.stop();
  const stoppedAt = performance.now();
  // Beyond the five seconds after which the feed is behind, and the rows would be asked.
  while (performance.now() - stoppedAt < 8_000) {
    const [took, answer] = await timed(() => whoami(there, tokens));
    expect(answer).toMatchObject({ status: 200 });
    expect(took).toBeLessThan(1_500);
    await sleep(200);
  }
  const refused = await login(here);
  expect(refused).toMatchObject({ status: 503, reason: "UNAVAILABLE" });
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await refresh(here, tokens)).toMatchObject({ status: 503, reason: "UNAVAILABLE" });
  const readyz = await fetch(`${here}/readyz`);
  expect([readyz.status, await readyz.json()]).toEqual([
    503,
    { status: "unavailable", problem: "The database cannot be written." },
  ]);
  expect((await fetch(`${here}/healthz`)).status).toBe(200);

  await database.start();
  const [took] = await timed(() =>
    vi.waitFor(
      async () => {
        expect(await login(here)).toMatchObject({ status: 200 });
        expect(await refresh(there, tokens)).toMatchObject({ status: 200 });
        expect((await fetch(`${there}/readyz`)).status).toBe(200);
      },
      { timeout: 10_000, interval: 50 },
    ),
  );
  expect(took).toBeLessThan(2_000);
  // And hears of revocations as before.
  const again = await signIn(here, "alice");
  await whoami(there, again);
  await signOut(here, again);
  await vi.waitFor(async () => expect(await whoami(there, again)).toMatchObject({ reason: "SESSION_REVOKED" }), {
    timeout: 1_500,
  });
});

it("connections that are killed in the middle of statements fail their call with 503, and cost nothing else", async () => {
  await using two = await fleet(2);
  const urls = two.nodes.map(({ url }) => url);
  const killer = new pg.Client(two.databaseUrl);
  await killer.connect();
  let tokens = await signUp(urls[0] ?? "", "alice");
  const answers: Record<string, number> = {};
  let isOver = false;
  const killing = (async () => {
    while (!isOver) {
      await killer.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'countersign'",
      );
      await sleep(30);
    }
  })();
  for (let round = 0; round < 300; round += 1) {
    const answer: Answer = await refresh(urls[round % 2] ?? "", tokens);
    const outcome = answer.reason ?? "refreshed";
    answers[outcome] = (answers[outcome] ?? 0) + 1;
    if (answer.data !== null) tokens = answer.data as Tokens;
  }
  isOver = true;
  await killing;
  await killer.end();
  expect(Object.keys(answers).filter((outcome) => outcome !== "refreshed" && outcome !== "UNAVAILABLE")).toEqual([]);
  expect(answers.refreshed).toBeGreaterThan(50);
  await vi.waitFor(async () => expect(await refresh(urls[0] ?? "", tokens)).toMatchObject({ status: 200 }));
});

it("a pool without a connection to spare refuses soon, and signed-in traffic does not notice", async () => {
  await using one = await fleet(1);
  const url = one.nodes[0]?.url ?? "";
  const tokens = await signUp(url, "alice");
  const locker = new pg.Client(one.databaseUrl);
  await locker.connect();
  await locker.query("begin");
  await locker.query("lock table sessions in access exclusive mode");
  const refreshes = Array.from({ length: 60 }, () => timed(() => refresh(url, tokens)));
  const slowest: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const [took, answer] = await timed(() => whoami(url, tokens));
    expect(answer).toMatchObject({ status: 200 });
    slowest.push(took);
    await sleep(100);
  }
  for (const [took, answer] of await Promise.all(refreshes)) {
    expect(answer).toMatchObject({ status: 503, reason: "UNAVAILABLE" });
    expect(took).toBeLessThan(8_000);
  }
  expect(Math.max(...slowest)).toBeLessThan(1_000);
  await locker.query("rollback");
  await locker.end();
  expect(await refresh(url, tokens)).toMatchObject({ status: 200 });
});

it("a database that takes 2 s a statement does not slow signed-in traffic down", async () => {
  await using line = await tcpProxy(await createDatabase());
  await using one = await fleet(1, { databaseUrl: line.url });
  const url = one.nodes[0]?.url ?? "";
  const tokens = await signUp(url, "alice");
  line.delayMs = 2_000;
  for (const begun = performance.now(); performance.now() - begun < 12_000; ) {
    const [took, answer] = await timed(() => whoami(url, tokens));
    expect(answer).toMatchObject({ status: 200 });
    expect(took).toBeLessThan(500);
    await sleep(100);
  }
  line.delayMs = 0;
  await vi.waitFor(async () => expect(await refresh(url, tokens)).toMatchObject({ status: 200 }), { timeout: 10_000 });
});

it("a database that no longer answers holds up one call at a time, and not all", async () => {
  await using line = await tcpProxy(await createDatabase());
  await using one = await fleet(1, { databaseUrl: line.url });
  const url = one.nodes[0]?.url ?? "";
  const tokens = await signUp(url, "alice");
  line.isSilent = true;
  await sleep(9_000);
  const answers = await Promise.all(Array.from({ length: 50 }, () => timed(() => whoami(url, tokens))));
  expect(new Set(answers.map(([, { status }]) => status))).toEqual(new Set([200]));
  const later = await Promise.all(Array.from({ length: 50 }, () => timed(() => whoami(url, tokens))));
  expect(later.filter(([took]) => took > 1_000).length).toBeLessThanOrEqual(1);
  line.isSilent = false;
  await vi.waitFor(async () => expect(await refresh(url, tokens)).toMatchObject({ status: 200 }), { timeout: 30_000 });
});

it("a node is killed in the middle of 1,000 refreshes: what was acknowledged is good, and no session is forked", async () => {
  await using two = await fleet(2);
  const [doomed, other] = two.nodes as [(typeof two.nodes)[0], (typeof two.nodes)[0]];
  await signUp(other.url, "alice");
  const sessions: { tokens: Tokens }[] = [];
  for (let index = 0; index < 50; index += 1) sessions.push({ tokens: await signIn(other.url, "alice") });
  let done = 0;
  await Promise.all(
    sessions.map(async (session, index) => {
      for (let round = 0; round < 20; round += 1) {
        const url = (index + round) % 2 === 0 ? doomed.url : other.url;
        const answer = await refresh(url, session.tokens).catch(() => refresh(other.url, session.tokens));
        expect(answer.reason).toBeNull();
        session.tokens = answer.data as Tokens;
        done += 1;
        if (done === 400) doomed.signal("SIGKILL");
      }
    }),
  );
  expect(await doomed.ended).toBe("SIGKILL");
  const client = new pg.Client(two.databaseUrl);
  await client.connect();
  const { rows } = await client.query<{ generation: string; revoked: boolean }>(
    "select generation, revoked_at is not null as revoked from sessions order by created_at",
  );
  await client.end();
  expect(rows.filter(({ revoked }) => revoked)).toEqual([]);
  // One for the sign-up, which never refreshed; the others by each refresh that was acknowledged, and by no other.
  expect(rows.map(({ generation }) => Number(generation)).sort((a, b) => a - b)).toEqual([0, ...Array(50).fill(20)]);
  for (const { tokens } of sessions) expect(await refresh(other.url, tokens)).toMatchObject({ status: 200 });
});

it("SIGTERM under load fails no request behind a balancer that honours /readyz", async () => {
  const databaseUrl = await createDatabase();
  const env = {
    DATABASE_URL: databaseUrl,
    NODE_ENV: "production",
    COUNTERSIGN_SECRET: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
    COUNTERSIGN_ISSUER: "https://fleet.example",
  };
  await using place = workplace();
  const nodes = await Promise.all([place.serve(env), place.serve(env)]);
  await using proxy = await balancer(nodes.map(({ url }) => url));
  const tokens = await signUp(proxy.url, "alice");
  const failures: string[] = [];
  const pending: Promise<unknown>[] = [];
  let isOver = false;
  const load = (async () => {
    while (!isOver) {
      pending.push(
        call(proxy.url, "auth.sessions.list", { token: tokens.accessToken }).then(
          ({ status, reason }) => status === 200 || failures.push(`${status} ${reason}`),
          (error: unknown) => failures.push(String(error)),
        ),
      );
      await sleep(10);
    }
  })();
  await sleep(1_000);
  const [leaving] = nodes;
  leaving?.signal("SIGTERM");
  const [took, code] = await timed(() => leaving?.ended ?? Promise.resolve(null));
  await sleep(500);
  isOver = true;
  await load;
  await Promise.all(pending);
  expect([failures, code]).toEqual([[], 0]);
  expect(pending.length).toBeGreaterThan(200);
  expect(took).toBeLessThan(13_000);
});

it("clocks that are three seconds apart lose nothing, whichever is ahead", async () => {
  await using two = await fleet([{ aheadMs: 3_000 }, {}]);
  const urls = two.nodes.map(({ url }) => url) as [string, string];
  for (const [from, to] of [urls, [...urls].reverse() as [string, string]] as const) {
    let tokens = await signUp(from, from === urls[0] ? "alice" : "bob");
    for (let round = 0; round < 20; round += 1) {
      const url = round % 2 === 0 ? to : from;
      expect(await whoami(url, tokens)).toMatchObject({ status: 200 });
      const used = tokens;
      const [first, second] = await Promise.all([refresh(from, used), refresh(to, used)]);
      expect([first.reason, second.reason]).toEqual([null, null]);
      tokens = first.data as Tokens;
    }
    await signOut(from, tokens);
    await vi.waitFor(async () => expect(await whoami(to, tokens)).toMatchObject({ reason: "SESSION_REVOKED" }), {
      timeout: 1_500,
    });
  }
});
