/** How a revocation reaches the other node: told at once, found by the poll, and whatever order transactions commit in. */
import pg from "pg";
import { describe, expect, it, vi } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { fleet } from "../support/fleet.ts";
import { subscribe } from "../support/subscriber.ts";
import { createDatabase } from "../support/test-database.ts";
import { signIn, signOut, signUp, type Tokens, whoami } from "../support/wire.ts";

vi.setConfig({ testTimeout: 60_000 });

/** Milliseconds until a node refuses what another has revoked. */
async function untilRefused(url: string, tokens: Tokens): Promise<number> {
  const begun = performance.now();
  for (;;) {
    const { reason } = await whoami(url, tokens);
    if (reason !== null) {
      expect(reason).toBe("SESSION_REVOKED");
      return performance.now() - begun;
    }
    if (performance.now() - begun > 10_000) throw new Error("never refused");
  }
}

async function measure(databaseUrl: string): Promise<number[]> {
  await using two = await fleet(2, { databaseUrl });
  const [here, there] = two.nodes.map(({ url }) => url) as [string, string];
  await signUp(here, "alice");
  const times: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    const tokens = await signIn(here, "alice");
    expect(await whoami(there, tokens)).toMatchObject({ status: 200 });
    await signOut(here, tokens);
    times.push(await untilRefused(there, tokens));
  }
  return times.sort((a, b) => a - b);
}

describe("a revocation on one node is seen on the other", () => {
  it("at once, where PostgreSQL can tell", async () => {
    const times = await measure(await createDatabase());
    console.log(`told of a revocation: median ${times[5]?.toFixed(1)} ms, longest ${times.at(-1)?.toFixed(1)} ms`);
    // By polling, half of them would take half a second.
    expect(times[5]).toBeLessThan(100);
  });

  it("within a second and a half, by polling alone", async () => {
    const databaseUrl = await createDatabase();
    const client = new pg.Client(databaseUrl);
    await client.connect();
    await client.query("create function pg_notify(text, text) returns void language sql as ''");
    await client.end();
    // Found before PostgreSQL's own.
    const times = await measure(`${databaseUrl}?options=-csearch_path%3Dpublic,pg_catalog`);
    console.log(`found by polling: median ${times[5]?.toFixed(0)} ms, longest ${times.at(-1)?.toFixed(0)} ms`);
    expect(times.at(-1)).toBeLessThan(1_500);
    expect(times.at(-1)).toBeGreaterThan(100);
  });

  it("though a transaction with a lower id commits after those with higher ones", async () => {
    await using two = await fleet(2);
    const [here, there] = two.nodes.map(({ url }) => url) as [string, string];
    const [late, other] = [await signUp(here, "late"), await signUp(here, "other")];
    const sessionOf = ({ accessToken }: Tokens) =>
      JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString()).sid as string;
    const slow = new pg.Client(two.databaseUrl);
    await slow.connect();
    await slow.query("begin");
    const { rows } = await slow.query(
      "insert into feed_events (kind, subject, created_at) values ('session_revoked', $1, now()) returning id",
      [sessionOf(late)],
    );
    await signOut(here, other);
    await untilRefused(there, other);
    // It has read beyond, and polls again and again.
    expect(await whoami(there, late)).toMatchObject({ status: 200 });
    const beyond = await signUp(here, "beyond");
    await signOut(here, beyond);
    await untilRefused(there, beyond);
    const highest = await slow.query("select max(id) as id from feed_events");
    expect(Number(highest.rows[0].id)).toBeGreaterThan(Number(rows[0].id));
    await slow.query("commit");
    await slow.end();
    expect(await untilRefused(there, late)).toBeLessThan(1_500);
  });

  it("by its subscriptions too", async () => {
    await using two = await fleet(2);
    const [here, there] = two.nodes.map(({ url }) => url) as [string, string];
    const tokens = await signUp(here, "alice");
    using subscriber = subscribe(there, { accessToken: tokens.accessToken }, "fleet");
    await subscriber.was("pending");
    await signOut(here, tokens);
    await expectReason(subscriber.ended, "SESSION_REVOKED");
  });

  it("whatever else is told on the channel, however often", async () => {
    await using two = await fleet(2);
    const [here, there] = two.nodes.map(({ url }) => url) as [string, string];
    const client = new pg.Client(two.databaseUrl);
    await client.connect();
    const tokens = await signUp(here, "alice");
    const noise = Array.from({ length: 2_000 }, (_, index) =>
      client.query("select pg_notify('countersign_feed', $1)", [index % 2 === 0 ? "" : `${index}: not ours`]),
    );
    expect(await whoami(there, tokens)).toMatchObject({ status: 200 });
    await Promise.all(noise);
    await signOut(here, tokens);
    expect(await untilRefused(there, tokens)).toBeLessThan(1_500);
    await client.end();
  });
});
