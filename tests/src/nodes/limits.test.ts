/** Limits on guessing are the fleet's: two nodes give a guesser no more than one. */
import { expect, it, vi } from "vitest";
import { fleet } from "../support/fleet.ts";
import { call, password, signUp } from "../support/wire.ts";

vi.setConfig({ testTimeout: 60_000 });

/** Of so many guesses at once, over all nodes: how many got which answer. */
async function guesses(nodes: number): Promise<Record<string, number>> {
  await using many = await fleet(nodes);
  const urls = many.nodes.map(({ url }) => url);
  await signUp(urls[0] ?? "", "alice");
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, index) =>
      call(urls[index % nodes] ?? "", "auth.login", { input: { username: "bob", password: `guess ${index}` } }),
    ),
  );
  const counts: Record<string, number> = {};
  for (const { reason } of answers) counts[reason ?? "right"] = (counts[reason ?? "right"] ?? 0) + 1;
  return counts;
}

it("500 guesses at once get no more hashes over two nodes than over one", async () => {
  // 20 for the name: the default.
  const expected = { INVALID_CREDENTIALS: 20, RATE_LIMITED: 480 };
  expect(await guesses(1)).toEqual(expected);
  expect(await guesses(2)).toEqual(expected);
});

it("a flood of guesses at one name, or at many from one address, is in nobody's way", async () => {
  const env = { COUNTERSIGN_TRUSTED_PROXIES: "127.0.0.1" };
  await using two = await fleet([{ env }, { env }]);
  const urls = two.nodes.map(({ url }) => url);
  const login = (index: number, username: string, address: string, guess: string) =>
    call(urls[index % 2] ?? "", "auth.login", {
      input: { username, password: guess },
      headers: { "x-forwarded-for": address },
    });
  await signUp(urls[0] ?? "", "alice");
  const floods = [
    (index: number) => login(index, "bob", `203.0.113.${index % 250}`, "wrong"),
    (index: number) => login(index, `name${index}`, "198.51.100.1", "wrong"),
  ];
  for (const flood of floods) {
    const guesses = Promise.all(Array.from({ length: 400 }, (_, index) => flood(index)));
    const mine = await Promise.all([0, 1].map((index) => login(index, "alice", "192.0.2.1", password)));
    expect(mine.map(({ reason }) => reason)).toEqual([null, null]);
    const reasons = new Set((await guesses).map(({ reason }) => reason));
    expect([...reasons].sort()).toEqual(["INVALID_CREDENTIALS", "RATE_LIMITED"]);
  }
});

it("a known device keeps its own budget on every node, whatever strangers use up", async () => {
  const env = { COUNTERSIGN_TRUSTED_PROXIES: "127.0.0.1" };
  await using two = await fleet([{ env }, { env }]);
  const [here, there] = two.nodes.map(({ url }) => url) as [string, string];
  const from = (address: string) => ({ "x-forwarded-for": address });
  const login = (url: string, address: string, guess = password) =>
    call(url, "auth.login", { input: { username: "alice", password: guess }, headers: from(address) });
  await call(here, "auth.register", { input: { username: "alice", password }, headers: from("198.51.100.7") });
  await Promise.all(
    Array.from({ length: 60 }, (_, index) => login(index % 2 === 0 ? here : there, `203.0.113.${index}`, "wrong")),
  );
  for (const url of [here, there]) {
    expect(await login(url, "203.0.113.200")).toMatchObject({ reason: "RATE_LIMITED" });
    expect(await login(url, "198.51.100.7")).toMatchObject({ reason: null });
  }
});

it("many sign-ins of one account at once, over two nodes, are not in each other's way", async () => {
  await using two = await fleet(2);
  const urls = two.nodes.map(({ url }) => url);
  await signUp(urls[0] ?? "", "robot");
  for (let round = 0; round < 5; round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 18 }, (_, index) =>
        call(urls[index % 2] ?? "", "auth.login", { input: { username: "robot", password } }),
      ),
    );
    expect(answers.map(({ reason }) => reason).filter((reason) => reason !== null)).toEqual([]);
  }
});
