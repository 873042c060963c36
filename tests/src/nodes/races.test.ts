/** Races between nodes over one session: refreshes with each other, with a sign-out and with a new password. */
import { expect, it, vi } from "vitest";
import { type Fleet, fleet } from "../support/fleet.ts";
import { createDatabase } from "../support/test-database.ts";
import { type Answer, call, password, refresh, signIn, signOut, signUp, type Tokens, whoami } from "../support/wire.ts";

vi.setConfig({ testTimeout: 180_000 });

const urlsOf = ({ nodes }: Fleet) => nodes.map(({ url }) => url) as [string, string];

it.each([
  ["1,000 times", 1_000, ""],
  [
    "100 times on an engine whose statements are serializable",
    100,
    "?options=-cdefault_transaction_isolation%3Dserializable",
  ],
])("of 20 refreshes of one token over two nodes, all get one successor: %s", async (_, rounds, options) => {
  await using two = await fleet(2, { databaseUrl: `${await createDatabase()}${options}` });
  const urls = urlsOf(two);
  let tokens = await signUp(urls[0], "alice");
  const outcomes = new Map<string, number>();
  for (let round = 0; round < rounds; round += 1) {
    const used = tokens;
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => refresh(urls[index % 2] ?? "", used)));
    const refusals = answers.filter(({ reason }) => reason !== null).map(({ reason }) => reason);
    const successors = new Set(answers.map(({ data }) => (data as Tokens | null)?.refreshToken));
    const outcome = `${successors.size} successor, ${refusals.join() || "no refusal"}`;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    tokens = answers.find(({ data }) => data !== null)?.data as Tokens;
  }
  expect(Object.fromEntries(outcomes)).toEqual({ "1 successor, no refusal": rounds });
  for (const url of urls) expect(await whoami(url, tokens)).toMatchObject({ status: 200 });
});

it.each([
  ["a sign-out", (url: string, tokens: Tokens) => signOut(url, tokens)],
  [
    "a new password",
    async (url: string) => {
      // In another session: it ends all but its own.
      const { accessToken } = await signIn(url, "alice");
      const input = { currentPassword: password, newPassword: password };
      return call(url, "auth.changePassword", { input, token: accessToken });
    },
  ],
])("after %s was answered, nothing that was refreshed meanwhile is good anywhere: 100 times", async (_, end) => {
  await using two = await fleet(2);
  const urls = urlsOf(two);
  await signUp(urls[0], "alice");
  for (let round = 0; round < 100; round += 1) {
    const tokens = await signIn(urls[round % 2] ?? "", "alice");
    const early = Array.from({ length: 4 }, (_, index) => refresh(urls[index % 2] ?? "", tokens));
    const ending = end(urls[round % 2] ?? "", tokens);
    const late = Array.from({ length: 4 }, (_, index) => refresh(urls[index % 2] ?? "", tokens));
    const answers = await Promise.all([...early, ...late]);
    expect(await ending).toMatchObject({ reason: null });
    const issued = [tokens, ...answers.flatMap(({ data }: Answer) => (data === null ? [] : [data as Tokens]))];
    for (const url of urls) {
      for (const tokens of issued) {
        // No row lets it through; the other node's memory has heard of it when it was told.
        expect((await refresh(url, tokens)).reason).toMatch(/^SESSION_(REVOKED|REUSED)$/);
        await vi.waitFor(
          async () => expect((await whoami(url, tokens)).reason).toMatch(/^(SESSION_REVOKED|TOKEN_EXPIRED)$/),
          {
            timeout: 1_500,
            interval: 5,
          },
        );
      }
    }
  }
});
