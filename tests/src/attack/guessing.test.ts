/** Guesses at passwords, however they are sent: no more of them are compared than the budgets say, and the owner gets in throughout. */
import { randomUUID } from "node:crypto";
import { AccountId } from "@countersign/shared/schemas";
import { describe, expect, it, vi } from "vitest";
import { isLong } from "../support/long-tests.ts";
import { signUp } from "../support/people.ts";
import { rawRequest } from "../support/raw-request.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

const guesses = isLong ? 2_000 : 150;
const connections = Math.min(guesses, 1_000);
const perAccount = 20;
const perAddress = 100;

/** How often the hasher was asked to compare what was guessed: each is a hash spent, whatever was answered in the end. */
async function countHashes(app: TestApp): Promise<() => number> {
  const { hasher } = await app.auth.start();
  const { mock } = vi.spyOn(hasher, "verify");
  return () => mock.calls.filter(([typed]) => typed !== password).length;
}

const owner = { username: "alice", email: "alice@example.com", password };
const from = (address: string) => ({ "x-forwarded-for": address });
const ownersAddress = from("192.0.2.1");

/** What each call of a reply, of one or of a batch, was refused for; `null` where it was not. */
async function reasonsIn(reply: Response): Promise<(string | null)[]> {
  const body = await reply.json();
  return [body].flat().map(({ error }) => error?.json.data.reason ?? null);
}

interface Guess {
  readonly username: string;
  readonly headers?: Record<string, string>;
}

/** Sends guesses, of which the first has this number, and tells what they were refused for. */
type Send = (app: TestApp, guesses: readonly Guess[], first: number) => Promise<readonly (string | null)[]>;

const typed = ({ username }: Guess, number: number) => ({ json: { username, password: `guess ${number}` } });

/** Each a request of its own. */
const alone: Send = async (app, all, first) =>
  (
    await Promise.all(
      all.map(async (guess, index) =>
        reasonsIn(await app.call("auth.login", typed(guess, first + index), guess.headers)),
      ),
    )
  ).flat();

/** Nearly as many as a request may have: no budget is a multiple of it, so each is used up in the midst of one. */
const batchSize = 9;

const inBatches: Send = async (app, all, first) => {
  const batches = Array.from({ length: Math.ceil(all.length / batchSize) }, (_, index) => index * batchSize);
  const replies = batches.map((start) => {
    const batch = all.slice(start, start + batchSize).map((guess, index) => typed(guess, first + start + index));
    return app.call(`${batch.map(() => "auth.login").join()}?batch=1`, { ...batch }, all[start]?.headers);
  });
  return (await Promise.all(replies.map(async (reply) => reasonsIn(await reply)))).flat();
};

/** Each on a connection of its own, which is opened for it and closed after it. */
const onConnections: Send = async (app, all, first) =>
  Promise.all(
    all.map(async (guess, index) => {
      const body = JSON.stringify(typed(guess, first + index));
      const lines = [
        "POST /trpc/auth.login HTTP/1.1",
        "content-type: application/json",
        `content-length: ${body.length}`,
      ];
      const reply = await rawRequest(app.url, lines, body);
      return JSON.parse(reply.body).error?.json.data.reason ?? null;
    }),
  );

interface Way {
  readonly all: readonly Guess[];
  /** How many are compared. */
  readonly most: number;
  readonly send?: Send;
  /** How many are sent at once. */
  readonly round?: number;
  /** Where nothing in front of the server is trusted, the owner has the guesser's address. */
  readonly isDirect?: boolean;
}

/** As many at once as may wait for their comparison: more would be told that the server is busy, and not be compared. */
const atOnce = 50;

/** Guesses, and has the owner sign in before, between and beside all of it. Returns what both were told. */
async function attack(app: TestApp, { all, send = alone, round = atOnce }: Way) {
  const told = { guesser: new Set<string | null>(), owner: new Set<string | null>() };
  const ownerSignsIn = async () => {
    const reply = await app.call("auth.login", { json: { username: owner.username, password } }, ownersAddress);
    for (const reason of await reasonsIn(reply)) told.owner.add(reason);
  };
  await ownerSignsIn();
  for (let start = 0; start < all.length; start += round) {
    const [reasons] = await Promise.all([send(app, all.slice(start, start + round), start), ownerSignsIn()]);
    for (const reason of reasons) told.guesser.add(reason);
    await ownerSignsIn();
  }
  return told;
}

const nth = (make: (index: number) => Guess): readonly Guess[] =>
  Array.from({ length: guesses }, (_, index) => make(index));

const spellings = ["alice", "ALICE", "Alice", "ａｌｉｃｅ", "ALＩCE", "𝐚𝐥𝐢𝐜𝐞", "ⓐlice", "aliⅽe"];
const emailSpellings = ["alice@example.com", "ALICE@EXAMPLE.COM", "ａlice@example.com"];
const spelled = (n: number, all: readonly string[]) => all[n % all.length] ?? "";

const everywhere = (n: number) => from(`198.51.${n % 100}.${n % 250}`);
const oneAddress = from("203.0.113.5");
const nobody = (n: number) => `nobody-${n}`;

const ways: Readonly<Record<string, Way>> = {
  "at one name": { all: nth(() => ({ username: "alice", headers: oneAddress })), most: perAccount },
  "at one name, however it is spelled": {
    all: nth((n) => ({ username: spelled(n, spellings), headers: oneAddress })),
    most: perAccount,
  },
  "at one name, in batches": {
    all: nth(() => ({ username: "alice", headers: oneAddress })),
    most: perAccount,
    send: inBatches,
  },
  [`at one name, on ${connections} connections at once`]: {
    all: nth(() => ({ username: "alice" })).slice(0, connections),
    most: perAccount,
    send: onConnections,
    round: connections,
  },
  "at one name, from everywhere": {
    all: nth((n) => ({ username: "alice", headers: everywhere(n) })),
    most: perAccount,
  },
  // One budget for both would tell whose address it is.
  "at one account by its username and its e-mail address, from everywhere: forty are compared, twenty by each": {
    all: nth((n) => ({ username: spelled(n >> 1, n % 2 === 0 ? spellings : emailSpellings), headers: everywhere(n) })),
    most: 2 * perAccount,
  },
  "at names that nobody has": {
    all: nth((n) => ({ username: nobody(n), headers: oneAddress })),
    most: perAddress,
  },
  "at names that nobody has, with addresses that are made up": {
    all: nth((n) => ({ username: nobody(n), headers: from(`203.0.113.${n % 250}, 10.0.0.${n % 250}`) })),
    most: perAddress,
    isDirect: true,
  },
  "at names that nobody has, from one IPv6 network, address after address": {
    all: nth((n) => ({
      username: nobody(n),
      headers: from(`2001:db8:1:2:${(n * 7_919).toString(16).slice(0, 4)}::${n.toString(16)}`),
    })),
    most: perAddress,
  },
  "at names that nobody has, through a proxy, with more addresses before its own": {
    all: nth((n) => ({ username: nobody(n), headers: from(`203.0.113.${n % 250}, 198.51.100.7`) })),
    most: perAddress,
  },
};

describe(`${guesses} guesses, and an owner who signs in meanwhile on a device that was here before`, () => {
  it.each(Object.entries(ways))("%s", { timeout: 300_000 }, async (_, way) => {
    await using app = await testApp({}, way.isDirect ? {} : { app: { trustedProxies: ["127.0.0.1"] } });
    await app.auth.router.createCaller(app.asNobody()).register(owner);
    const hashes = await countHashes(app);
    const told = await attack(app, way);
    expect(hashes()).toBe(way.most);
    expect(told.guesser).toEqual(new Set(["INVALID_CREDENTIALS", "RATE_LIMITED"]));
    expect(told.owner).toEqual(new Set([null]));
  });
});

const sprayed = "Summer-of-2026";

/** A thousand people, of whom every tenth has the password that is tried. */
async function addThousand(app: TestApp): Promise<readonly Guess[]> {
  await signUp(app);
  const { db, hasher } = await app.auth.start();
  const alice = await db.selectFrom("accounts").selectAll().executeTakeFirstOrThrow();
  const common = await hasher.hash(sprayed);
  const people = Array.from({ length: 1_000 }, (_, n) => ({
    ...alice,
    id: AccountId.parse(randomUUID()),
    username: `person-${n}`,
    username_key: `person-${n}`,
    password_hash: n % 10 === 9 ? common : alice.password_hash,
  }));
  await db.insertInto("accounts").values(people).execute();
  return people.map(({ username }) => ({ username }));
}

/** Tries it at everybody, and returns how many were let in, were wrong, and were told to come later. */
async function spray(app: TestApp, all: readonly Guess[], round: number) {
  const told: (string | null)[] = [];
  for (let start = 0; start < all.length; start += round) {
    const replies = all.slice(start, start + round).map(async ({ username }) => {
      return reasonsIn(await app.call("auth.login", { json: { username, password: sprayed } }));
    });
    told.push(...(await Promise.all(replies)).flat());
  }
  const count = (reason: string | null) => told.filter((other) => other === reason).length;
  return { letIn: count(null), wrong: count("INVALID_CREDENTIALS"), limited: count("RATE_LIMITED") };
}

describe("one password at a thousand accounts, of which every tenth has it", () => {
  it("lets in who is reached before a hundred were wrong", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    const all = await addThousand(app);
    const hashes = await countHashes(app);
    // A sign-in that succeeds costs nothing, and buys nothing: of each ten that are tried, nine are counted.
    expect(await spray(app, all.slice(0, 150), 1)).toEqual({ letIn: 11, wrong: perAddress, limited: 39 });
    expect(await spray(app, all.slice(150), atOnce)).toEqual({ letIn: 0, wrong: 0, limited: 850 });
    expect(hashes()).toBe(perAddress + 11);
  });

  it("lets in hardly more when fifty are tried at once", { timeout: 60_000 }, async () => {
    await using app = await testApp();
    const all = (await addThousand(app)).slice(0, isLong ? 1_000 : 300);
    const hashes = await countHashes(app);
    const { letIn, wrong, limited } = await spray(app, all, atOnce);
    expect(wrong).toBeLessThanOrEqual(perAddress);
    // The third fifty are the last of whom any can be compared: those with the right password may come first.
    expect(letIn).toBeLessThanOrEqual(15);
    expect(hashes()).toBe(letIn + wrong);
    expect(limited).toBe(all.length - letIn - wrong);
  });
});
