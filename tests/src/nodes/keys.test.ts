/** Signing keys of a fleet: replaced while it serves, by whoever comes first. */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { expect, it, vi } from "vitest";
import { fleet } from "../support/fleet.ts";
import { call, signIn, signUp, whoami } from "../support/wire.ts";
import { workplace } from "../support/workplace.ts";

vi.setConfig({ testTimeout: 60_000 });

const keyOf = ({ accessToken }: { accessToken: string }) =>
  JSON.parse(Buffer.from(accessToken.split(".")[0] ?? "", "base64url").toString()).kid as string;

it("a key is replaced while four nodes serve 200 calls a second, and no call is refused", async () => {
  await using many = await fleet(4);
  const urls = many.nodes.map(({ url }) => url);
  await using place = workplace();
  const env = { DATABASE_URL: many.databaseUrl, COUNTERSIGN_SECRET: many.secret };
  let tokens = await signUp(urls[0] ?? "", "alice");
  const before = keyOf(tokens);
  const refusals: string[] = [];
  let calls = 0;
  let isOver = false;

  /** 50 calls a second on each node, at a fixed rate; every tenth signs in, so that new keys travel. */
  async function load(index: number): Promise<void> {
    const pending: Promise<unknown>[] = [];
    for (let count = 0; !isOver; count += 1) {
      const url = urls[index] ?? "";
      pending.push(
        (async () => {
          calls += 1;
          if (count % 10 === 0) tokens = await signIn(url, "alice");
          const { reason } = await whoami(urls[(index + count) % 4] ?? "", tokens);
          if (reason !== null) refusals.push(reason);
        })().catch((error: unknown) => refusals.push(String(error))),
      );
      await sleep(20);
    }
    await Promise.all(pending);
  }

  const loads = urls.map((_, index) => load(index));
  await sleep(1_000);
  const rotated = (await place.json(["keys", "rotate", "--now"], { env })) as { kid: string };
  await vi.waitFor(() => expect(keyOf(tokens)).toBe(rotated.kid), { timeout: 10_000 });
  await sleep(1_500);
  isOver = true;
  await Promise.all(loads);
  expect(rotated.kid).not.toBe(before);
  expect(refusals).toEqual([]);
  expect(calls).toBeGreaterThan(400);
  // And what the former one signed is still good everywhere.
  for (const url of urls) expect(await call(url, "ping")).toMatchObject({ data: "pong" });
});

it("two nodes that replace the key at once make one new one", async () => {
  await using one = await fleet(1);
  const env = { DATABASE_URL: one.databaseUrl, COUNTERSIGN_SECRET: one.secret };
  await using place = workplace();
  const made = await Promise.all([1, 2, 3].map(() => place.json(["keys", "rotate"], { env })));
  expect(new Set(made.map((key) => (key as { kid: string }).kid)).size).toBe(1);
  const client = new pg.Client(one.databaseUrl);
  await client.connect();
  expect((await client.query("select id from signing_keys")).rows).toHaveLength(2);
  await client.end();
});
