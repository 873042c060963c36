/** An upgrade is tried on a copy first: by the program that brings it, and by the one before. */
import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Server } from "../support/server-process.ts";
import { createDatabase } from "../support/test-database.ts";
import { call, password, refresh, signIn, signUp, type Tokens } from "../support/wire.ts";
import { type Workplace, workplace } from "../support/workplace.ts";

const source = (path: string) => new URL(`../../../server/src/${path}`, import.meta.url);

/** The release after this one: the same program with one more migration, of one statement. */
function releaseAfter(statement: string, requires = 0): { NODE_OPTIONS: string } {
  const code = `
    import { migrations } from ${JSON.stringify(source("store/migrations/index.ts").href)};
    const sql = ${JSON.stringify(statement)};
    const query = { kind: "RawNode", sqlFragments: [sql], parameters: [] };
    const compile = () => ({ sql, query, parameters: [], queryId: { queryId: "three" } });
    migrations.push({ id: 3, name: "three", requires: ${requires}, statements: () => [{ compile }] });`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}

/** This release, as a file that can be run. */
function thisRelease(place: Workplace): string {
  const file = place.at("countersign");
  const flags = "--conditions=@countersign/source --disable-warning=ExperimentalWarning";
  const program = fileURLToPath(source("cli/main.ts"));
  writeFileSync(file, `#!/bin/sh\nunset NODE_OPTIONS\nexec "${process.execPath}" ${flags} "${program}" "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

const kinds = {
  SQLite: async (place: Workplace) => `file:${place.at("data", "countersign.db")}`,
  PostgreSQL: () => createDatabase({ isEmpty: true }),
};

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])("on %s", (kind) => {
  let place: Workplace;
  let server: Server;
  let env: Record<string, string>;
  let tokens: Tokens;
  beforeAll(async () => {
    place = workplace();
    env = {
      NODE_ENV: "production",
      COUNTERSIGN_SECRET: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
      COUNTERSIGN_ISSUER: "https://auth.example",
      DATABASE_URL: await kinds[kind](place),
    };
    server = await place.serve(env);
    tokens = await signUp(server.url, "alice");
    await signIn(server.url, "alice");
    await place.json(["users", "create", "bob", "--email", "bob@example.org", "--password-stdin"], {
      env,
      input: password,
    });
    await signIn(server.url, "bob");
    await place.json(["users", "disable", "bob"], { env });
  });
  afterAll(() => place[Symbol.asyncDispose]());

  /** Nothing of a copy is left. */
  async function leftOver(): Promise<unknown[]> {
    if (kind === "SQLite") return readdirSync(place.at("data")).filter((file) => file.includes("rehearsal"));
    const client = new pg.Client(env.DATABASE_URL);
    await client.connect();
    const { rows } = await client.query("select nspname from pg_namespace where nspname like 'countersign%'");
    await client.end();
    return rows;
  }

  async function rehearse(args: readonly string[] = [], more: Record<string, string> = {}) {
    const { code, stdout, stderr } = await place.run(["migrate", "--rehearse", ...args], { env: { ...env, ...more } });
    const problems = stdout.split("\n").filter((line) => line.startsWith("problem"));
    return { code, problems, verdict: stdout.trim().split("\n").at(-1), stdout, stderr };
  }

  it("finds nothing to do, changes nothing, and leaves no copy", async () => {
    const { code, stdout, stderr, verdict } = await rehearse();
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /^ok {7}copy {11}It was made in \d+\.\d s, with 2 live sessions\.\nok {7}migrations {5}None is pending\.\n/,
    );
    expect(stdout).toContain("2 are found by what they sign in with; 0 of them have no password.");
    expect(stdout).toContain("2 that are live were refreshed; a newcomer signs up, in and out.");
    expect(verdict).toMatch(/^Fit\. Nothing was pending: nothing was changed in /);
    expect(await leftOver()).toEqual([]);
    expect(await place.json(["users", "list"], { env })).toHaveLength(2);
    tokens = (await refresh(server.url, tokens)).data as Tokens;
  });

  it.each([
    ["an account loses its password", "update accounts set password_hash = null", "has another password."],
    ["a hash is none that can be compared", "update accounts set password_hash = 'md5'", "has another password."],
    [
      "a username is another",
      "update accounts set username_key = username_key || '2'",
      "is not found by its username.",
    ],
    [
      "an address is another",
      "update accounts set email_key = 'x' where email_key is not null",
      "is not found by its e-mail address.",
    ],
    ["an account is enabled", "update accounts set disabled_at = null", "was disabled, or enabled."],
    ["an account is gone", "delete from accounts where username = 'bob'", "is not found by its username."],
    ["sessions lose what they are proved by", "update sessions set generation = generation + 5", "SESSION_REUSED"],
    ["nobody can sign up", "create unique index one_only on accounts (version)", "Nobody can be signed up: "],
    ["a statement fails", "insert into nowhere values (1)", "Migration 3 (three) failed and was undone"],
  ])("%s: refuses, and changes nothing", async (_, statement, problem) => {
    const { code, problems, verdict } = await rehearse([], releaseAfter(statement));
    expect(problems.join("\n")).toContain(problem);
    expect([code, verdict]).toEqual([1, expect.stringMatching(/^Not fit: nothing was changed in /)]);
    expect(await leftOver()).toEqual([]);
    expect(await place.json(["migrate", "status"], { env })).toHaveLength(2);
    tokens = (await refresh(server.url, tokens)).data as Tokens;
  });

  it("a release before that cannot work on it any more is found out", async () => {
    const after = releaseAfter("create table more (id integer)", 3);
    const { code, problems } = await rehearse(["--before", thisRelease(place)], after);
    expect(problems).toEqual([expect.stringContaining("before         The database has migration 3")]);
    expect(code).toBe(1);
    expect(await place.json(["migrate", "status"], { env })).toHaveLength(2);
  });

  it("what the release before can do nothing with is found out", async () => {
    const { code, stderr } = await rehearse(["--before", place.at("nowhere")]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("cannot be run. Name the countersign of the release before."),
    ]);
    writeFileSync(place.at("mute.mjs"), "console.log('hello')");
    expect((await rehearse(["--before", place.at("mute.mjs")])).problems).toEqual([
      expect.stringContaining("It said nothing."),
    ]);
    expect(await leftOver()).toEqual([]);
  });

  it("nothing is tried on the database itself", async () => {
    const { code, stderr } = await place.run(["migrate", "exercise"], { env });
    expect([code, stderr]).toEqual([2, expect.stringContaining("This is for a copy")]);
  });

  it("applies what is fit, and servers of the release before go on, and start again", async () => {
    const after = releaseAfter("alter table accounts add column nickname text");
    const { code, stdout, verdict } = await rehearse(["--before", thisRelease(place)], after);
    expect(stdout).toContain("The release before works on it too: 2 sessions were refreshed.");
    expect([code, verdict]).toEqual([0, expect.stringMatching(/^Fit, and applied to .*: 3 \(three\)\.$/)]);
    expect(await leftOver()).toEqual([]);
    expect(await call(server.url, "auth.me", { token: tokens.accessToken })).toMatchObject({ status: 200 });
    tokens = (await refresh(server.url, tokens)).data as Tokens;
    server.signal("SIGKILL");
    await server.ended;
    const again = await place.serve(env);
    await signIn(again.url, "alice");
    expect(await refresh(again.url, tokens)).toMatchObject({ status: 200 });
    const states = ((await place.json(["migrate", "status"], { env })) as { state: string }[]).map(
      ({ state }) => state,
    );
    expect(states).toEqual(["applied", "applied", "later"]);
    again.signal("SIGKILL");
  });
});

it("refuses where there is nothing to rehearse, and says how it is called", async () => {
  await using place = workplace();
  const empty = { DATABASE_URL: await createDatabase({ isEmpty: true }) };
  for (const [args, env, message] of [
    [["--rehearse"], {}, "There is no database at"],
    [["--rehearse"], empty, "There is nothing to rehearse: the database has no tables."],
    [["--rehearse", "--before", "x", "--auth", "./a.ts#auth"], empty, "--before works with the environment alone"],
    [[], {}, "Usage: countersign migrate"],
  ] as const) {
    const { code, stderr } = await place.run(["migrate", ...args], { env });
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  }
});
