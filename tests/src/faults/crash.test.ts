/**
 * A node that is killed at any moment has kept all that it said was done, and nothing by half. What was answered is noted outside
 * of the process, and asked for again after the next start.
 */
import { randomInt } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { isLong } from "../support/long-tests.ts";
import { startNode } from "../support/node-process.ts";
import { kill } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { createDatabase } from "../support/test-database.ts";
import { unlimited } from "../support/unlimited.ts";
import { call, password, refresh, type Tokens } from "../support/wire.ts";

const crashes = { sqlite: isLong ? 200 : 2, postgres: isLong ? 50 : 1 };
const people = 6;
const newPassword = (version: number) => `${password} ${version}`;

/** What somebody was told, and what they have asked for since without an answer. */
interface Person {
  readonly username: string;
  /** The password that was acknowledged last; and one that may be it. */
  version: number;
  asked: number;
  tokens: Tokens | null;
  /** A sign-out of them was asked for, and not answered. */
  isLeaving: boolean;
  /** Sessions that were acknowledged to be over. */
  readonly ended: Tokens[];
}

/** One person's life: it ends when the server does. What is acknowledged, `heard` tells. */
async function live(url: string, person: Person, heard: EventEmitter): Promise<void> {
  for (;;) {
    try {
      await act(url, person);
      heard.emit("acknowledged");
    } catch (error) {
      // The connection was cut: what was asked last may have been done or not.
      if (error instanceof TypeError || error instanceof SyntaxError) return;
      throw error;
    }
  }
}

async function act(url: string, person: Person): Promise<void> {
  const { tokens } = person;
  if (tokens === null) {
    const input = { username: person.username, password: newPassword(person.version) };
    const { data, reason } = await call(url, "auth.login", { input });
    expect(reason).toBeNull();
    person.tokens = data as Tokens;
    return;
  }
  const what = randomInt(20);
  if (what < 12) {
    const { data, reason } = await refresh(url, tokens);
    expect(reason).toBeNull();
    person.tokens = data as Tokens;
  } else if (what < 19) {
    person.isLeaving = true;
    const { reason } = await call(url, "auth.logout", { input: { refreshToken: tokens.refreshToken } });
    expect(reason).toBeNull();
    person.isLeaving = false;
    person.ended.push(tokens);
    person.tokens = null;
  } else {
    person.asked = person.version + 1;
    const input = { currentPassword: newPassword(person.version), newPassword: newPassword(person.asked) };
    const { reason } = await call(url, "auth.changePassword", { input, token: tokens.accessToken });
    expect([null, "TOKEN_EXPIRED"]).toContain(reason);
    if (reason === null) person.version = person.asked;
  }
}

/** Finds everything as it was acknowledged. */
async function check(url: string, person: Person): Promise<void> {
  const { username, ended } = person;
  // A wrong guess counts, and few are allowed: of a change that was asked for, the new one is tried first.
  const possible = person.asked === person.version ? [person.version] : [person.asked, person.version];
  const good: number[] = [];
  for (const version of possible) {
    const { reason } = await call(url, "auth.login", { input: { username, password: newPassword(version) } });
    if (reason === null) {
      good.push(version);
      break;
    }
    expect(reason).toBe("INVALID_CREDENTIALS");
  }
  expect(good, `${username} has a password that was asked for`).toHaveLength(1);
  person.version = good[0] ?? person.version;
  person.asked = person.version;
  for (const tokens of ended.splice(0)) expect((await refresh(url, tokens)).reason).toBe("SESSION_REVOKED");
  if (person.tokens === null) return;
  // A sign-out that was asked for may have been done. Nothing else ends it.
  const { data, reason } = await refresh(url, person.tokens);
  expect(person.isLeaving ? [null, "SESSION_REVOKED"] : [null]).toContain(reason);
  person.tokens = reason === null ? (data as Tokens) : null;
  person.isLeaving = false;
}

const halves = {
  "a session of nobody":
    "select count(*) as n from sessions where account_id not in (select cast(id as text) from accounts)",
  "a sign-in that is in no audit":
    "select count(*) as n from sessions s where not exists (select 1 from audit_events e where e.session_id = s.id and e.kind = 'sign_in')",
  "an end that is in no feed":
    "select count(*) as n from sessions s where revoked_at is not null and not exists (select 1 from feed_events f where f.subject = cast(s.id as text))",
} as const;

const databases = {
  async sqlite() {
    const folder = await temporaryFolder();
    const path = folder.file("auth.db");
    return {
      url: `file:${path}`,
      async count(sql: string) {
        using db = new DatabaseSync(path);
        expect(db.prepare("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
        return Number(db.prepare(sql).get()?.n);
      },
      [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
    };
  },
  async postgres() {
    const url = await createDatabase();
    const client = new pg.Client(url);
    await client.connect();
    return {
      url,
      count: async (sql: string) => Number((await client.query(sql)).rows[0].n),
      [Symbol.asyncDispose]: () => client.end(),
    };
  },
} as const;

describe.each(["sqlite", "postgres"] as const)("on %s", (kind) => {
  const times = crashes[kind];
  it(`killed ${times} times, nothing that was acknowledged is lost, and nothing is half done`, {
    timeout: 60_000 + times * 10_000,
  }, async () => {
    await using database = await databases[kind]();
    const everyone: Person[] = Array.from({ length: people }, (_, index) => ({
      username: `person-${index}`,
      version: 0,
      asked: 0,
      tokens: null,
      isLeaving: false,
      ended: [],
    }));
    for (let crash = 0; crash <= times; crash += 1) {
      // A guess that was counted and whose answer never came stays counted: two hundred are more than a quarter of an hour allows.
      const { child, server } = startNode(database.url, {
        env: { COUNTERSIGN_ACCESS_TTL: "15m", TEST_NODE_OPTIONS: JSON.stringify({ limits: unlimited }) },
      });
      try {
        const { url } = await server;
        for (const person of everyone) {
          if (crash > 0) await check(url, person);
          else await call(url, "auth.register", { input: { username: person.username, password: newPassword(0) } });
        }
        for (const [half, sql] of Object.entries(halves)) expect([half, await database.count(sql)]).toEqual([half, 0]);
        if (crash === times) break;
        const heard = new EventEmitter();
        const lives = everyone.map((person) => live(url, person, heard));
        // However slow the machine is, there is something to be found again.
        await Promise.race([once(heard, "acknowledged"), ...lives]);
        await sleep(randomInt(20, 500));
        const killed = kill(child);
        await Promise.all(lives);
        await killed;
      } finally {
        if (child.exitCode === null && child.signalCode === null) await kill(child);
      }
    }
  });
});
