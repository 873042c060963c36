/** The whole service against a small model: people, their sessions and roles, an administrator, time, and two nodes on one database. */
import { isAuthError } from "@countersign/client";
import { createTestAuth, type TestAuth } from "@countersign/server/testing";
import type { AccountId, SessionId, SignedIn } from "@countersign/shared/schemas";
import fc from "fast-check";
import { afterAll, expect, inject, it } from "vitest";
import { isLong } from "../support/long-tests.ts";
import { sharedDatabase } from "../support/test-database.ts";
import { testOptions, testRouter } from "../support/test-router.ts";
import { unlimited } from "../support/unlimited.ts";

const accessSeconds = 60;
const toleranceSeconds = 5;
const graceSeconds = 30;
const idleSeconds = 3_600;
const absoluteSeconds = 1.5 * idleSeconds;
const freshSeconds = 300;

const options = {
  ...testOptions,
  algorithm: "HS256",
  accessTtlSeconds: accessSeconds,
  clockToleranceSeconds: toleranceSeconds,
  refreshGraceSeconds: graceSeconds,
  refreshTtlSeconds: idleSeconds,
  sessionTtlSeconds: absoluteSeconds,
  limits: unlimited,
} as const;

/** Two nodes on an empty database. */
async function openService() {
  const database = await sharedDatabase();
  const nodes: [TestAuth, TestAuth] = [
    await createTestAuth(options, { database: database.open(), seed: "first node" }),
    await createTestAuth(options, { database: database.open(), seed: "second node" }),
  ];
  return {
    nodes,
    async close() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

let service = await openService();
let { nodes } = service;
afterAll(() => service.close());

async function beginAgain(): Promise<void> {
  await service.close();
  service = await openService();
  nodes = service.nodes;
}

const now = () => nodes[0].clock.now() / 1_000;
const wait = async (seconds: number) => {
  for (const node of nodes) await node.clock.advance({ seconds });
};

/** What became of something that was asked for: what was said, or why not. */
type Outcome<T> = { readonly said: T } | { readonly refused: string };

async function outcomeOf<T>(asked: Promise<T>): Promise<Outcome<T>> {
  try {
    return { said: await asked };
  } catch (error) {
    const cause = error instanceof Error ? error.cause : null;
    if (!isAuthError(cause)) throw error;
    return { refused: cause.data.reason };
  }
}

/** A person as the service should know them. */
interface Account {
  readonly id: AccountId;
  password: string;
  version: number;
  isModerator: boolean;
  state: "live" | "disabled" | "removed";
}

interface Session {
  readonly account: Account;
  readonly startedAt: number;
  /** By generation. */
  readonly refreshTokens: string[];
  readonly accessTokens: AccessToken[];
  generation: number;
  rotatedAt: number;
  expiresAt: number;
  ended: "SESSION_REVOKED" | "SESSION_REUSED" | null;
}

interface AccessToken {
  readonly token: string;
  readonly issuedAt: number;
  readonly version: number;
  readonly isModerator: boolean;
  /** The key that signed it is no longer one. */
  isForgotten: boolean;
}

/** Everything that is so in one run. Names are of this run: the database is of all. */
interface World {
  readonly run: number;
  /** Whose name is taken, by whom. */
  readonly accounts: Map<string, Account>;
  readonly sessions: Session[];
}

function begin(account: Account, { accessToken, refreshToken }: SignedIn): Session {
  return {
    account,
    startedAt: now(),
    refreshTokens: [refreshToken],
    accessTokens: [accessTokenOf(account, accessToken)],
    generation: 0,
    rotatedAt: now(),
    expiresAt: now() + idleSeconds,
    ended: null,
  };
}

const accessTokenOf = (account: Account, token: string): AccessToken => ({
  token,
  issuedAt: now(),
  version: account.version,
  isModerator: account.isModerator,
  isForgotten: false,
});

const idOf = ({ token }: AccessToken): SessionId =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).sid;

function end(world: World, isMeant: (session: Session) => boolean): number {
  const meant = world.sessions.filter((session) => session.ended === null && isMeant(session));
  for (const session of meant) session.ended = "SESSION_REVOKED";
  return meant.length;
}

/** Some time after a token, the key that signed it goes, too. */
const expired: string = expect.stringMatching(/^TOKEN_(EXPIRED|INVALID)$/);

/** What a call with this token should be answered; `null` for that it is done. */
function objectionTo({ account, ended }: Session, token: AccessToken): string | null {
  const { issuedAt, version, isForgotten } = token;
  if (now() >= issuedAt + accessSeconds + toleranceSeconds) return expired;
  if (isForgotten) return "TOKEN_INVALID";
  if (ended !== null) return "SESSION_REVOKED";
  return account.state === "removed" || account.version > version ? "TOKEN_EXPIRED" : null;
}

/** What a refresh should come to: a generation, or why not. Ends the session where it should. */
function refreshOf(session: Session, presented: number): number | string {
  if (session.ended !== null) return session.ended;
  if (now() >= session.expiresAt) return "TOKEN_EXPIRED";
  if (presented === session.generation) {
    session.generation += 1;
    session.rotatedAt = now();
    const last = session.startedAt + absoluteSeconds;
    const expiresAt = Math.min(now() + idleSeconds, last);
    if (expiresAt === last || expiresAt - session.expiresAt >= idleSeconds / 10) session.expiresAt = expiresAt;
    return session.generation;
  }
  if (presented === session.generation - 1 && now() - session.rotatedAt <= graceSeconds) return session.generation;
  session.ended = "SESSION_REUSED";
  return session.ended;
}

interface Step {
  readonly does: keyof typeof steps;
  /** Which of the two is asked. */
  readonly node: 0 | 1;
  /** Whom it is about: a name, or one of the sessions so far. */
  readonly name: string;
  readonly session: number;
  /** How many tokens ago. */
  readonly ago: number;
  readonly isRight: boolean;
  readonly seconds: number;
}

const usernameOf = (world: World, name: string) => `${name}-${world.run}`;
const passwordOf = (version: number) => `correct horse battery ${version}`;
const asNobody = (node: TestAuth) => testRouter.createCaller(node.asNobody());

async function asHolder(node: TestAuth, { token }: AccessToken) {
  const req = new Request("http://localhost", { headers: { authorization: `Bearer ${token}` } });
  return testRouter.createCaller(await node.auth.createContext({ req }));
}

const asAdministrator = async (node: TestAuth) =>
  testRouter.createCaller(await node.asUser({ username: "root", roles: ["admin"] }));

const fromTheEnd = <T>(list: readonly T[], ago: number): T | undefined => list[Math.max(0, list.length - 1 - ago)];

type Take = (world: World, node: TestAuth, step: Step) => Promise<void>;

/** For what somebody who is signed in does. */
const withSession =
  (take: (world: World, node: TestAuth, step: Step, session: Session, token: AccessToken) => Promise<void>): Take =>
  async (world, node, step) => {
    const session = world.sessions[step.session % Math.max(1, world.sessions.length)];
    const token = session && fromTheEnd(session.accessTokens, step.ago);
    if (session !== undefined && token !== undefined) await take(world, node, step, session, token);
  };

/** For what an administrator does to an account: how it is afterwards, and whether its sessions end. */
const administered =
  (
    ask: (admin: Awaited<ReturnType<typeof asAdministrator>>, account: Account, step: Step) => Promise<unknown>,
    change: (account: Account, step: Step) => { readonly endsSessions: boolean },
  ): Take =>
  async (world, node, step) => {
    const account = world.accounts.get(step.name);
    if (account === undefined) return;
    const outcome = await outcomeOf(ask(await asAdministrator(node), account, step));
    expect(outcome).toMatchObject({ said: expect.anything() });
    account.version += 1;
    const { endsSessions } = change(account, step);
    if (endsSessions) end(world, (session) => session.account === account);
  };

const steps = {
  "sign up": async (world, node, { name, isRight }) => {
    const password = isRight ? passwordOf(0) : "short";
    const outcome = await outcomeOf(asNobody(node).auth.register({ username: usernameOf(world, name), password }));
    if (!isRight) return expect(outcome).toEqual({ refused: "WEAK_PASSWORD" });
    if (world.accounts.has(name)) return expect(outcome).toEqual({ refused: "USERNAME_TAKEN" });
    if ("refused" in outcome) return expect.fail(outcome.refused);
    const account: Account = {
      id: outcome.said.user.id,
      password,
      version: 1,
      isModerator: false,
      state: "live",
    };
    world.accounts.set(name, account);
    world.sessions.push(begin(account, outcome.said));
  },

  "sign in": async (world, node, { name, isRight }) => {
    const account = world.accounts.get(name);
    const password = isRight ? (account?.password ?? passwordOf(0)) : "not the password";
    const outcome = await outcomeOf(asNobody(node).auth.login({ username: usernameOf(world, name), password }));
    if (account === undefined || !isRight) return expect(outcome).toEqual({ refused: "INVALID_CREDENTIALS" });
    if (account.state === "disabled") return expect(outcome).toEqual({ refused: "ACCOUNT_DISABLED" });
    if ("refused" in outcome) return expect.fail(outcome.refused);
    world.sessions.push(begin(account, outcome.said));
  },

  refresh: withSession(async (_, node, { ago }, session) => {
    const presented = Math.max(0, session.refreshTokens.length - 1 - ago);
    const refreshToken = session.refreshTokens[presented] ?? expect.fail(`nobody was given generation ${presented}`);
    const expected = refreshOf(session, presented);
    const outcome = await outcomeOf(asNobody(node).auth.refresh({ refreshToken }));
    if (typeof expected === "string") return expect(outcome).toEqual({ refused: expected });
    if ("refused" in outcome) return expect.fail(outcome.refused);
    session.refreshTokens[expected] ??= outcome.said.refreshToken;
    expect(outcome.said.refreshToken, "a session forked").toBe(session.refreshTokens[expected]);
    session.accessTokens.push(accessTokenOf(session.account, outcome.said.accessToken));
  }),

  "sign out": withSession(async (_, node, { ago }, session) => {
    const refreshToken = fromTheEnd(session.refreshTokens, ago) ?? expect.fail("a session without a token");
    const revoked = session.ended === null ? 1 : 0;
    session.ended ??= "SESSION_REVOKED";
    expect(await outcomeOf(asNobody(node).auth.logout({ refreshToken }))).toEqual({ said: { revoked } });
  }),

  "sign out elsewhere": withSession(async (world, node, _, session, token) => {
    const objection = objectionTo(session, token);
    const outcome = await outcomeOf((await asHolder(node, token)).auth.sessions.revokeOthers());
    if (objection !== null) return expect(outcome).toEqual({ refused: objection });
    const revoked = end(world, (each) => each.account === session.account && each !== session);
    expect(outcome).toEqual({ said: { revoked } });
  }),

  "sign out one": withSession(async (world, node, { ago }, session, token) => {
    const objection = objectionTo(session, token);
    const other = fromTheEnd(world.sessions, ago) ?? session;
    const id = idOf(other.accessTokens[0] ?? expect.fail("a session without a token"));
    const outcome = await outcomeOf((await asHolder(node, token)).auth.sessions.revoke({ id }));
    if (objection !== null) return expect(outcome).toEqual({ refused: objection });
    // What is another person's is nobody's.
    const revoked = end(world, (each) => each === other && each.account === session.account);
    expect(outcome).toEqual({ said: { revoked } });
  }),

  "ask to be removed": withSession(async (world, node, _, session, token) => {
    const objection = objectionTo(session, token);
    const outcome = await outcomeOf((await asHolder(node, token)).account.remove());
    if (objection !== null) return expect(outcome).toEqual({ refused: objection });
    if (now() - session.startedAt > freshSeconds) return expect(outcome).toEqual({ refused: "FRESH_LOGIN_REQUIRED" });
    expect(outcome).toMatchObject({ said: { deletedAfter: expect.any(Date) } });
    session.account.version += 1;
    end(world, (each) => each.account === session.account);
  }),

  call: withSession(async (_, node, __, session, token) => {
    const objection = objectionTo(session, token);
    const holder = await asHolder(node, token);
    const called = await outcomeOf(holder.whoami());
    const tidied = await outcomeOf(holder.tidy());
    if (objection !== null) return expect([called, tidied]).toEqual([{ refused: objection }, { refused: objection }]);
    expect(called).toMatchObject({ said: { accountId: session.account.id, version: token.version } });
    expect(tidied).toEqual(token.isModerator ? { said: "tidied" } : { refused: "INSUFFICIENT_ROLE" });
  }),

  list: withSession(async (world, node, _, session, token) => {
    const objection = objectionTo(session, token);
    const outcome = await outcomeOf((await asHolder(node, token)).auth.sessions.list());
    if (objection !== null) return expect(outcome).toEqual({ refused: objection });
    if ("refused" in outcome) return expect.fail(outcome.refused);
    const isLive = (each: Session) => each.account === session.account && each.ended === null && now() < each.expiresAt;
    expect(outcome.said).toHaveLength(world.sessions.filter(isLive).length);
  }),

  "change the password": withSession(async (world, node, { isRight }, session, token) => {
    const { account } = session;
    const objection = objectionTo(session, token);
    const newPassword = passwordOf(account.version);
    const currentPassword = isRight ? account.password : "not the password";
    const input = { currentPassword, newPassword };
    const outcome = await outcomeOf((await asHolder(node, token)).auth.changePassword(input));
    if (objection !== null) return expect(outcome).toEqual({ refused: objection });
    if (!isRight) return expect(outcome).toEqual({ refused: "INVALID_CREDENTIALS" });
    account.password = newPassword;
    account.version += 1;
    const revoked = end(world, (each) => each.account === account && each !== session);
    expect(outcome).toEqual({ said: { revoked } });
  }),

  "make moderator, or no more": administered(
    (admin, { id }, { isRight }) => admin.users.setRoles({ id, roles: isRight ? ["moderator"] : [] }),
    (account, { isRight }) => {
      account.isModerator = isRight;
      return { endsSessions: false };
    },
  ),

  "set the password": administered(
    (admin, { id, version }) => admin.users.setPassword({ id, password: passwordOf(version) }),
    (account) => {
      account.password = passwordOf(account.version - 1);
      return { endsSessions: true };
    },
  ),

  disable: administered(
    (admin, { id }) => admin.users.disable({ id }),
    (account) => {
      account.state = "disabled";
      return { endsSessions: true };
    },
  ),

  enable: administered(
    (admin, { id }) => admin.users.enable({ id }),
    (account) => {
      account.state = "live";
      return { endsSessions: false };
    },
  ),

  remove: async (world, node, { name }) => {
    const account = world.accounts.get(name);
    if (account === undefined) return;
    const admin = await asAdministrator(node);
    expect(await outcomeOf(admin.users.remove({ id: account.id }))).toMatchObject({ said: { id: account.id } });
    account.state = "removed";
    world.accounts.delete(name);
    end(world, (session) => session.account === account);
    expect(await outcomeOf(admin.users.get({ id: account.id }))).toEqual({ refused: "NOT_FOUND" });
  },

  "sign out everywhere": async (world, node, { name }) => {
    const account = world.accounts.get(name);
    if (account === undefined) return;
    const revoked = end(world, (session) => session.account === account);
    const outcome = await outcomeOf((await asAdministrator(node)).users.sessions.revokeAll({ id: account.id }));
    expect(outcome).toEqual({ said: { revoked } });
  },

  "rotate the key": async (world, node, { isRight }) => {
    const admin = await asAdministrator(node);
    const compromised = !isRight;
    expect(await outcomeOf(admin.admin.keys.rotate({ compromised }))).toMatchObject({ said: expect.anything() });
    if (!compromised) return;
    for (const token of world.sessions.flatMap(({ accessTokens }) => accessTokens)) token.isForgotten = true;
  },

  wait: (_, __, { seconds }) => wait(seconds),
} satisfies Record<string, Take>;

const weights: Readonly<Record<keyof typeof steps, number>> = {
  "sign up": 4,
  "sign in": 4,
  refresh: 8,
  "sign out": 2,
  "sign out elsewhere": 1,
  "sign out one": 1,
  "ask to be removed": 1,
  call: 6,
  list: 2,
  "change the password": 2,
  "make moderator, or no more": 2,
  "set the password": 1,
  disable: 1,
  enable: 1,
  remove: 1,
  "sign out everywhere": 1,
  "rotate the key": 1,
  wait: 4,
};

const anyStep: fc.Arbitrary<Step> = fc.record({
  does: fc.oneof(
    ...Object.entries(weights).map(([does, weight]) => ({
      weight,
      arbitrary: fc.constant(does as keyof typeof steps),
    })),
  ),
  node: fc.constantFrom(0, 1),
  name: fc.constantFrom("ann", "bob"),
  session: fc.nat({ max: 5 }),
  ago: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 2 }) }),
  isRight: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  seconds: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: graceSeconds + 2 }) },
    { weight: 2, arbitrary: fc.integer({ min: accessSeconds, max: accessSeconds + toleranceSeconds + 1 }) },
    { weight: 1, arbitrary: fc.integer({ min: idleSeconds - 60, max: idleSeconds }) },
  ),
});

/** Each of two nodes hears of what the other did before the next thing happens. */
async function live(taken: readonly Step[], run: number): Promise<void> {
  // What was revoked in the run before is no longer anybody's concern.
  await wait(10 * accessSeconds);
  const world: World = { run, accounts: new Map(), sessions: [] };
  for (const step of taken) {
    await steps[step.does](world, nodes[step.node], step);
    await wait(0);
  }
  for (const session of world.sessions) {
    for (const token of session.accessTokens) {
      const objection = objectionTo(session, token);
      for (const node of nodes) {
        const outcome = await outcomeOf((await asHolder(node, token)).whoami());
        expect(outcome).toMatchObject(objection === null ? { said: {} } : { refused: objection });
      }
    }
  }
}

/** What would be done, as a script to be read, and to be pasted into a call of `live`. */
function scriptOf(taken: readonly Step[]): string {
  return taken.map((step) => `  ${JSON.stringify(step)},`).join("\n");
}

const count = isLong ? 10_000 : inject("dialect") === "postgres" ? 20 : 200;

it("does what the model does, whatever is asked of which node, in whatever order", {
  timeout: isLong ? 3_600_000 : 180_000,
}, async () => {
  let run = 0;
  const property = fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 30, size: "max" }), (taken) => {
    run += 1;
    return live(taken, run);
  });
  const { counterexample, errorInstance, seed, counterexamplePath } = await fc.check(property, { numRuns: count });
  if (counterexample === null) return;
  const [taken] = counterexample;
  // What the runs before left behind may be what it takes.
  await beginAgain();
  const again = await live(taken, 0).then(
    () => "not on an empty database",
    (error) => `on an empty database, too: ${error}`,
  );
  throw new Error(
    `After:\n[\n${scriptOf(taken)}\n]\n${errorInstance}\n(seed ${seed}, path ${counterexamplePath}; ${again})`,
  );
});
