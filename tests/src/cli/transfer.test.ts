/** `countersign export` and `import`: everything moves, and nobody is signed out. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createDatabase } from "../support/test-database.ts";
import { call, password, refresh, signIn, signOut, signUp, type Tokens } from "../support/wire.ts";
import { workplace } from "../support/workplace.ts";

const secret = Buffer.from("0123456789abcdef".repeat(2)).toString("base64url");
const issuer = "https://auth.example";

it("from SQLite to PostgreSQL and back: keys, sessions, passwords and revocations are as they were", async () => {
  await using place = workplace();
  const env = { COUNTERSIGN_SECRET: secret, COUNTERSIGN_ISSUER: issuer };
  const old = await place.serve(env);
  const alive = await signUp(old.url, "alice");
  const ended = await signIn(old.url, "alice");
  await signOut(old.url, ended);
  const cookie = (
    await call(old.url, "auth.cookie.login", {
      input: { username: "alice", password },
      headers: { "sec-fetch-site": "same-origin" },
    })
  ).headers
    .getSetCookie()[0]
    ?.split(";")[0];
  old.signal("SIGTERM");
  await old.ended;

  const written = await place.json(["export", place.at("all.jsonl")], { env });
  expect(written).toMatchObject({ accounts: 1, sessions: 3, signing_keys: 1, audit_events: 5, feed_events: 2 });
  expect(statSync(place.at("all.jsonl")).mode & 0o777).toBe(0o600);
  expect(readFileSync(place.at("all.jsonl"), "utf8")).not.toContain(secret);

  const databases = [`file:${place.at("again.db")}`];
  databases.unshift(await createDatabase({ isEmpty: true }));
  let file = place.at("all.jsonl");
  let tokens: Tokens = alive;
  for (const [index, DATABASE_URL] of databases.entries()) {
    const there = { ...env, DATABASE_URL };
    expect(await place.json(["import", file], { env: there })).toMatchObject({
      accounts: 1,
      sessions: expect.any(Number),
      signing_keys: 1,
    });
    // A run that is done again adds nothing.
    expect(await place.json(["import", file], { env: there })).toMatchObject({
      accounts: 0,
      sessions: 0,
      signing_keys: 0,
      audit_events: 0,
      feed_events: 0,
    });
    const server = await place.serve(there);
    expect(await call(server.url, "auth.me", { token: tokens.accessToken })).toMatchObject({ status: 200 });
    expect(await call(server.url, "auth.me", { headers: { cookie: cookie ?? "" } })).toMatchObject({ status: 200 });
    expect(await call(server.url, "auth.me", { token: ended.accessToken })).toMatchObject({
      reason: "SESSION_REVOKED",
    });
    expect(await refresh(server.url, ended)).toMatchObject({ reason: "SESSION_REVOKED" });
    tokens = (await refresh(server.url, tokens)).data as Tokens;
    await signIn(server.url, "alice");
    server.signal("SIGTERM");
    await server.ended;
    file = place.at(`again-${index}.jsonl`);
    await place.json(["export", file], { env: there });
  }
});

it("a file that is none of ours is refused, by its line, without what is in it", async () => {
  await using place = workplace();
  const env = { COUNTERSIGN_SECRET: secret };
  for (const [text, message] of [
    ["", "The file is empty."],
    ['{"users":[]}', "Line 1 is none"],
    ['{"format":"countersign","version":2}', "Line 1 is none"],
    ['{"format":"countersign","version":1}\n{"table":"countersign_migrations","row":{"id":9}}', "Line 2 is none"],
    [
      '{"format":"countersign","version":1}\n{"table":"accounts","row":{"id":"1","username":"a","password_hash":"hunter2"}}',
      "Of the lines 2 to 2 (accounts), the database does not take one",
    ],
    [
      '{"format":"countersign","version":1}\n{"table":"accounts","row":{"id; drop table accounts":"hunter2"}}',
      "Line 2 is none",
    ],
  ] as const) {
    writeFileSync(place.at("bad.jsonl"), text);
    const { code, stderr } = await place.run(["import", place.at("bad.jsonl")], { env });
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).not.toContain("hunter2");
  }
  await place.run(["migrate", "up"], { env });
  writeFileSync(place.at("there.jsonl"), "kept");
  expect(await place.run(["export", place.at("there.jsonl")], { env })).toMatchObject({
    code: 2,
    stderr: `${place.at("there.jsonl")} cannot be made (EEXIST). Name a new file, in a folder that is there.\n`,
  });
  expect(await place.run(["import", place.at("nowhere.jsonl")], { env })).toMatchObject({
    code: 2,
    stderr: `${place.at("nowhere.jsonl")} cannot be read (ENOENT).\n`,
  });
  expect(readFileSync(place.at("there.jsonl"), "utf8")).toBe("kept");
});
