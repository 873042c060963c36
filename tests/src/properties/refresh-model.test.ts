/** The refresh state machine against a small model: honest tabs, lost replies, a thief, and time. */
import { isAuthError } from "@countersign/client";
import { createTestAuth } from "@countersign/server/testing";
import type { SignedIn } from "@countersign/shared/schemas";
import fc from "fast-check";
import { afterAll, describe, expect, inject, it } from "vitest";
import { password } from "../support/test-app.ts";
import { testDatabase } from "../support/test-database.ts";

const graceSeconds = 30;
const idleSeconds = 3_600;
const absoluteSeconds = 1.5 * idleSeconds;
/** An end is moved by so much, or to the last, or not at all. */
const prolongedBySeconds = idleSeconds / 10;
const accessSeconds = 60;
const toleranceSeconds = 5;

/** On PostgreSQL each step takes ten times as long, and the model is the same. */
const runs = (count: number) => (inject("dialect") === "postgres" ? count / 20 : count);

const test = await createTestAuth(
  {
    algorithm: "HS256",
    accessTtlSeconds: accessSeconds,
    clockToleranceSeconds: toleranceSeconds,
    refreshGraceSeconds: graceSeconds,
    refreshTtlSeconds: idleSeconds,
    sessionTtlSeconds: absoluteSeconds,
  },
  { database: testDatabase() },
);
const auth = test.auth.router.createCaller(test.asNobody());
const { user } = await auth.register({ username: "alice", password });
afterAll(() => test[Symbol.asyncDispose]());

/** What a refresh gets: the generation of the token, or why there is none. */
type Outcome = number | string;

/** The session as it should be. Times in seconds. */
class Model {
  readonly #startedAt = now();
  #generation = 0;
  #rotatedAt = now();
  #expiresAt = now() + idleSeconds;
  #ended: "SESSION_REVOKED" | "SESSION_REUSED" | null = null;

  refresh(generation: number): Outcome {
    if (this.#ended !== null) return this.#ended;
    if (now() >= this.#expiresAt) return "TOKEN_EXPIRED";
    if (generation === this.#generation) {
      this.#generation += 1;
      this.#rotatedAt = now();
      const last = this.#startedAt + absoluteSeconds;
      const end = Math.min(now() + idleSeconds, last);
      if (end === last || end - this.#expiresAt >= prolongedBySeconds) this.#expiresAt = end;
      return this.#generation;
    }
    if (generation === this.#generation - 1 && now() - this.#rotatedAt <= graceSeconds) return this.#generation;
    this.#ended = "SESSION_REUSED";
    return this.#ended;
  }

  /** Somebody signed out, changed the password from elsewhere, or disabled the account. */
  end(): void {
    this.#ended ??= "SESSION_REVOKED";
  }

  /** Whether an access token is good that was issued at this time. */
  isGood(issuedAt: number): boolean {
    return this.#ended === null && now() < issuedAt + accessSeconds + toleranceSeconds;
  }
}

const now = () => test.clock.now() / 1_000;

/** Whether the server lets an access token pass. */
async function passes(accessToken: string): Promise<boolean> {
  const req = new Request("http://localhost", { headers: { authorization: `Bearer ${accessToken}` } });
  const context = await test.auth.createContext({ req });
  return context.auth.principal().then(
    (principal) => principal !== null,
    () => false,
  );
}

/** One session and those who hold its tokens: tabs, and a thief who copied one. */
class World {
  readonly model = new Model();
  /** Each generation's token, as far as the server gave it out. A second one would be a fork. */
  readonly #tokens: string[];
  /** The generation that each tab holds. */
  readonly #tabs = [0, 0, 0];
  #stolen = 0;
  readonly #accessTokens: { accessToken: string; issuedAt: number }[];

  constructor({ refreshToken, accessToken }: SignedIn) {
    this.#tokens = [refreshToken];
    this.#accessTokens = [{ accessToken, issuedAt: now() }];
  }

  async refreshTab(tab: number, isReplyLost: boolean): Promise<void> {
    const outcome = await this.#refresh(this.#tabs[tab] ?? 0);
    if (typeof outcome === "number" && !isReplyLost) this.#tabs[tab] = outcome;
  }

  /** Tabs share their storage, when they get to read it. */
  share(from: number, to: number): void {
    this.#tabs[to] = Math.max(this.#tabs[to] ?? 0, this.#tabs[from] ?? 0);
  }

  steal(tab: number): void {
    this.#stolen = this.#tabs[tab] ?? 0;
  }

  async replay(): Promise<void> {
    await this.#refresh(this.#stolen);
  }

  async signOut(tab: number): Promise<void> {
    const refreshToken = this.#token(this.#tabs[tab] ?? 0);
    this.model.end();
    await auth.logout({ refreshToken });
  }

  /** The owner does it on another device. */
  async changePassword(): Promise<void> {
    const { accessToken } = await auth.login({ username: "alice", password });
    const req = new Request("http://localhost", { headers: { authorization: `Bearer ${accessToken}` } });
    const elsewhere = test.auth.router.createCaller(await test.auth.createContext({ req }));
    this.model.end();
    await elsewhere.changePassword({ currentPassword: password, newPassword: password });
  }

  async disable(): Promise<void> {
    const admin = test.auth.usersRouter.createCaller(await test.asUser({ username: "root", roles: ["admin"] }));
    this.model.end();
    await admin.disable({ id: user.id });
    await admin.enable({ id: user.id });
  }

  /** Every access token that was ever issued is good exactly as long as it should be. */
  async checkAccess(): Promise<void> {
    for (const { accessToken, issuedAt } of this.#accessTokens) {
      expect(await passes(accessToken)).toBe(this.model.isGood(issuedAt));
    }
  }

  async #refresh(generation: number): Promise<Outcome> {
    const expected = this.model.refresh(generation);
    const outcome = await attempt(this.#token(generation), ({ refreshToken, accessToken }) => {
      this.#accessTokens.push({ accessToken, issuedAt: now() });
      this.#tokens[generationOf(refreshToken)] ??= refreshToken;
      expect(refreshToken, "a session forked").toBe(this.#token(generationOf(refreshToken)));
    });
    expect(outcome).toBe(expected);
    return outcome;
  }

  #token(generation: number): string {
    return this.#tokens[generation] ?? expect.fail(`nobody was given generation ${generation}`);
  }
}

async function attempt(refreshToken: string, see: (signedIn: SignedIn) => void): Promise<Outcome> {
  try {
    const next = await auth.refresh({ refreshToken });
    see(next);
    return generationOf(next.refreshToken);
  } catch (error) {
    const cause = error instanceof Error ? error.cause : null;
    if (!isAuthError(cause)) throw error;
    return cause.data.reason;
  }
}

/** Where the token's format keeps it: after `v1.` and the 16 bytes of the session's id. */
function generationOf(refreshToken: string): number {
  return Buffer.from(refreshToken.slice(3), "base64url").readUInt32BE(16);
}

const newWorld = async () => new World(await auth.login({ username: "alice", password }));
const wait = (seconds: number) => test.clock.advance({ seconds });

const tab = fc.nat({ max: 2 });
const anyWait = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: graceSeconds }) },
  { weight: 2, arbitrary: fc.integer({ min: graceSeconds - 1, max: graceSeconds + 2 }) },
  { weight: 1, arbitrary: fc.integer({ min: idleSeconds - 60, max: idleSeconds }) },
);

/** A step says what it does, so that a failing run can be read. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant("refresh"), tab, isReplyLost: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant("share"), tab, to: tab }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("steal"), tab }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("replay") }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant("wait"), seconds: anyWait }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom("sign out", "change password", "disable"), tab }) },
);

async function take(
  world: World,
  taken: { does: string; tab?: number; to?: number; seconds?: number; isReplyLost?: boolean },
) {
  const { does, tab = 0, to = 0, seconds = 0, isReplyLost = false } = taken;
  if (does === "refresh") await world.refreshTab(tab, isReplyLost);
  else if (does === "share") world.share(tab, to);
  else if (does === "steal") world.steal(tab);
  else if (does === "replay") await world.replay();
  else if (does === "wait") await wait(seconds);
  else if (does === "change password") await world.changePassword();
  else if (does === "disable") await world.disable();
  else await world.signOut(tab);
}

describe("a session under refresh", () => {
  it("does what the model does, whoever does what, and never forks", { timeout: 600_000 }, async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
      const world = await newWorld();
      for (const taken of steps) await take(world, taken);
      await world.checkAccess();
    });
    await fc.assert(property, { numRuns: runs(10_000) });
  });

  it("never signs an honest client out whose lost replies are asked for again within the grace", {
    timeout: 600_000,
  }, async () => {
    const lost = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 });
    const rounds = fc.array(
      fc.record({ idle: fc.integer({ min: 0, max: 800 }), tabs: fc.integer({ min: 1, max: 4 }), lost }),
      { maxLength: 6 },
    );
    const property = fc.asyncProperty(rounds, async (rounds) => {
      let { refreshToken } = await auth.login({ username: "alice", password });
      for (const { idle, tabs, lost } of rounds) {
        await wait(idle);
        for (const pause of lost) {
          await auth.refresh({ refreshToken });
          await wait(pause);
        }
        const all = await Promise.all(Array.from({ length: tabs }, () => auth.refresh({ refreshToken })));
        expect(new Set(all.map((next) => next.refreshToken)).size).toBe(1);
        refreshToken = all[0]?.refreshToken ?? refreshToken;
      }
    });
    await fc.assert(property, { numRuns: runs(1_000) });
  });

  it("ends with a thief's replay outside the grace, for everyone", { timeout: 600_000 }, async () => {
    const property = fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.nat({ max: 4 }), async (rotations, age) => {
      const tokens = [(await auth.login({ username: "alice", password })).refreshToken];
      for (let count = 0; count < rotations; count += 1) {
        tokens.push((await auth.refresh({ refreshToken: tokens.at(-1) ?? "" })).refreshToken);
      }
      await wait(graceSeconds + 1);
      const stolen = tokens[Math.max(0, rotations - 1 - age)] ?? "";
      expect(await attempt(stolen, () => {})).toBe("SESSION_REUSED");
      for (const refreshToken of tokens) expect(await attempt(refreshToken, () => {})).toBe("SESSION_REUSED");
    });
    await fc.assert(property, { numRuns: runs(500) });
  });
});
