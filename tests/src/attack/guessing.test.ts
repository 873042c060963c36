/** Guesses at passwords, however they are sent: they are compared as often as the budget says, and the owner gets in throughout. */
import { describe, expect, it } from "vitest";
import { forwarded, signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

const guesses = 500;
const perAccount = 20;
const perAddress = 100;

/** How many passwords were compared: each that was, and was wrong, is in the audit. */
async function compared(app: TestApp): Promise<number> {
  const { db } = await app.auth.start();
  const rows = await db.selectFrom("audit_events").select("id").where("kind", "=", "sign_in_failed").execute();
  return rows.length;
}

interface Guess {
  readonly username: string;
  readonly from?: string;
}

const nth = <T>(make: (index: number) => T): readonly T[] => Array.from({ length: guesses }, (_, index) => make(index));

/** As many at once as may wait for their comparison: more would be told that the server is busy, and not be compared. */
const atOnce = 50;

/** Each a request of its own. */
async function send(app: TestApp, all: readonly Guess[]): Promise<void> {
  const statuses = new Set<number>();
  for (let start = 0; start < all.length; start += atOnce) {
    await Promise.all(
      all.slice(start, start + atOnce).map(async ({ username, from }, index) => {
        const sent = { json: { username, password: `guess ${start + index}` } };
        const reply = await app.call("auth.login", sent, from === undefined ? {} : { "x-forwarded-for": from });
        await reply.arrayBuffer();
        statuses.add(reply.status);
      }),
    );
  }
  expect(statuses).toEqual(new Set([401, 429]));
}

/** In batches, as large as they may be. */
async function sendInBatches(app: TestApp): Promise<void> {
  const batch = Object.fromEntries(
    Array.from({ length: 10 }, (_, index) => [index, { json: { username: "alice", password: `guess ${index}` } }]),
  );
  const path = `${Array.from({ length: 10 }, () => "auth.login").join()}?batch=1`;
  await Promise.all(
    Array.from({ length: guesses / 10 }, () => app.call(path, batch).then((reply) => reply.arrayBuffer())),
  );
}

const spellings = ["alice", "ALICE", "Alice", "ａｌｉｃｅ", "ALＩCE", "𝐚𝐥𝐢𝐜𝐞", "ⓐlice", "aliⅽe"];

const proxied = { app: { trustedProxies: ["127.0.0.1"] } };
const cases: readonly [what: string, all: readonly Guess[], most: number, replaced: object][] = [
  ["at one name", nth(() => ({ username: "alice" })), perAccount, {}],
  [
    "at one name, however it is spelled",
    nth((n) => ({ username: spellings[n % spellings.length] ?? "" })),
    perAccount,
    {},
  ],
  ["at a thousand names", nth((n) => ({ username: `person-${n}` })), perAddress, {}],
  [
    "with addresses that are made up",
    nth((n) => ({ username: `person-${n}`, from: `203.0.113.${n % 250}, 10.0.0.${n % 250}` })),
    perAddress,
    {},
  ],
  [
    "from everywhere, at one name",
    nth((n) => ({ username: "alice", from: `198.51.${n % 100}.${n % 250}` })),
    perAccount,
    proxied,
  ],
  [
    "from one IPv6 network, address after address",
    nth((n) => ({
      username: `person-${n}`,
      from: `2001:db8:1:2:${(n * 7_919).toString(16).slice(0, 4)}::${n.toString(16)}`,
    })),
    perAddress,
    proxied,
  ],
  [
    "through a proxy, with more addresses before its own",
    nth((n) => ({ username: `person-${n}`, from: `203.0.113.${n % 250}, 198.51.100.7` })),
    perAddress,
    proxied,
  ],
];

describe("five hundred guesses", () => {
  it.each(cases)("%s", { timeout: 60_000 }, async (_, all, most, replaced) => {
    await using app = await testApp({}, replaced);
    await signUp(app);
    await send(app, all);
    expect(await compared(app)).toBe(most);
  });

  it("in batches", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    await signUp(app);
    await sendInBatches(app);
    expect(await compared(app)).toBe(perAccount);
  });
});

it("the owner gets in throughout, on a device that was here before", { timeout: 60_000 }, async () => {
  await using app = await testApp({}, proxied);
  await signUp(app);
  const owner = forwarded(app, "192.0.2.1");
  await owner.login({ username: "alice", password });
  const flood = send(
    app,
    nth((n) => ({ username: "alice", from: `198.51.100.${n % 250}` })),
  );
  for (let time = 0; time < 10; time += 1) {
    await owner.logout();
    await owner.login({ username: "alice", password });
  }
  await flood;
  await owner.login({ username: "alice", password });
});
