/**
 * Records the release at hand (`npm run record`): makes what people leave in a database, by real nodes, on both kinds. Once
 * before each release; CI upgrades every recording with the program of the day.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createAuth } from "@countersign/server";
import { postgres } from "@countersign/server/postgres";
import { sqlite } from "@countersign/server/sqlite";
import manifest from "../../../server/package.json" with { type: "json" };
import { environmentOfNode, secret, startNode } from "../support/node-process.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { kill } from "../support/server-process.ts";
import { call, password, refresh, signIn, signOut, signUp, type Tokens } from "../support/wire.ts";
import { type Kind, kinds, type Recording, readRows, recordingsFolder } from "./recording.ts";

const command = fileURLToPath(new URL("../../../server/src/cli/main.ts", import.meta.url));
const sameOrigin = { "sec-fetch-site": "same-origin" };

/** The statements that make the tables, as they are sent. */
async function statementsOf(kind: Kind, place: string): Promise<string[]> {
  const statements = new Set<string>();
  const onStatement = (sql: string) => void (sql.startsWith("create ") && statements.add(sql));
  const database = kind === "sqlite" ? sqlite(place, { onStatement }) : postgres(place, { onStatement });
  await using auth = createAuth({ database, secret, issuer: "https://fleet.example" });
  await auth.start();
  return [...statements];
}

async function peopleAndSessions(url: string, cli: (args: string[], input: string) => void) {
  const own = (login: string, refusal: string | null = null, secretWord = password) => ({
    login,
    password: secretWord,
    refusal,
  });
  const sessions: Recording["sessions"] = [];
  const note = (tokens: Tokens, refusal: string | null) => sessions.push({ ...tokens, cookie: null, refusal });

  const fresh = await signUp(url, "alice");
  note(fresh, null);
  let rotated = await signIn(url, "alice");
  for (let count = 0; count < 3; count += 1) rotated = (await refresh(url, rotated)).data as Tokens;
  note(rotated, null);
  const ended = await signIn(url, "alice");
  await signOut(url, ended);
  note(ended, "SESSION_REVOKED");

  const email = { username: "Bob", email: "Bob@Example.org", password };
  await call(url, "auth.register", { input: email });
  const byCookie = await call(url, "auth.cookie.login", { input: { username: "bob", password }, headers: sameOrigin });
  const cookie = byCookie.headers.getSetCookie()[0]?.split(";")[0] ?? null;
  sessions.push({ ...(await signIn(url, "bob")), cookie, refusal: null });

  const changed = await signUp(url, "carol");
  const elsewhere = await signIn(url, "carol");
  const newPassword = "another battery, another staple";
  await call(url, "auth.changePassword", {
    input: { currentPassword: password, newPassword },
    token: changed.accessToken,
  });
  note(elsewhere, "SESSION_REVOKED");

  note(await signUp(url, "dave"), "SESSION_REVOKED");
  cli(["users", "disable", "dave"], "");
  const bcrypt = "$2y$07$usesomesillystringfore2uDLvp1Ii2e./U9C8sBjqp8I90dH6hi";
  cli(
    ["users", "import", "-", "--from", "countersign"],
    `${JSON.stringify({ username: "erin", passwordHash: bcrypt })}\n`,
  );
  await call(url, "auth.login", { input: { username: "alice", password: "a guess" } });
  cli(["keys", "rotate", "--now"], "");
  note(await signIn(url, "alice"), null);

  const people = [
    own("alice"),
    own("ALICE"),
    own("bob"),
    own("bob@example.org"),
    own("carol", null, newPassword),
    own("carol", "INVALID_CREDENTIALS"),
    own("dave", "ACCOUNT_DISABLED"),
    own("erin", null, "rasmuslerdorf"),
    own("nobody", "INVALID_CREDENTIALS"),
  ];
  return { people, sessions };
}

async function record(kind: Kind, place: string): Promise<Recording> {
  const statements = await statementsOf(kind, place);
  const databaseUrl = kind === "sqlite" ? `file:${place}` : place;
  const { child, server } = startNode(databaseUrl);
  const { url } = await server;
  const cli = (args: string[], input: string) =>
    void execFileSync(process.execPath, ["--conditions=@countersign/source", command, ...args], {
      env: environmentOfNode(databaseUrl),
      input,
    });
  const { people, sessions } = await peopleAndSessions(url, cli);
  await kill(child);
  return { recordedAt: Date.now(), statements, rows: await readRows(kind, place), people, sessions };
}

const folder = mkdtempSync(join(tmpdir(), "countersign-record-"));
const server = await startPostgres();
for (const kind of kinds) {
  const file = new URL(`${manifest.version}.${kind}.json`, recordingsFolder);
  if (existsSync(file)) {
    console.log(`${manifest.version} is recorded already on ${kind}, and a recording never changes.`);
    continue;
  }
  const recording = await record(kind, kind === "sqlite" ? join(folder, "auth.db") : server.url);
  mkdirSync(recordingsFolder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(recording, null, 2)}\n`);
  console.log(`Recorded ${manifest.version} on ${kind}.`);
}
await server[Symbol.asyncDispose]();
rmSync(folder, { recursive: true, force: true });
