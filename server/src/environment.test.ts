import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { inspect } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createAuth } from "./create-auth.ts";
import { readEnvironment, readEnvironmentWithoutSecret } from "./environment.ts";
import { EnvironmentError } from "./environment-error.ts";
import { newSecret } from "./master-secret.ts";

const secret = newSecret();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-environment-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function mistakesOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    readEnvironment({ COUNTERSIGN_SECRET: secret, ...env });
  } catch (error) {
    if (error instanceof EnvironmentError) return error.mistakes;
    throw error;
  }
  return [];
}

test("nothing set gives what the documentation says", () => {
  const environment = readEnvironment({ DATABASE_URL: `file:${folder}/data/countersign.db` });
  expect(environment).toMatchObject({
    app: { origins: [], trustedProxies: [] },
    listen: { port: 3000, host: "127.0.0.1" },
    auth: { log: { level: "info" } },
    production: false,
    forPeople: true,
  });
  // What is absent stays absent, so that the defaults of createAuth hold.
  expect(Object.keys(environment.auth).sort()).toEqual(["database", "issuer", "log", "secret"]);
  expect(environment.auth.issuer).toBe("http://localhost:3000");
  expect(environment.auth.database.location).toBe(join(folder, "data", "countersign.db"));
});

test("the database is ./data/countersign.db unless DATABASE_URL says otherwise", () => {
  expect(readEnvironmentWithoutSecret({}).auth.database.location).toBe(join(process.cwd(), "data", "countersign.db"));
});

test("everything set arrives typed", () => {
  const environment = readEnvironment({
    PORT: "8080",
    HOST: "::",
    DATABASE_URL: "file:/srv/auth.db",
    COUNTERSIGN_SECRET: `${secret}\n`,
    COUNTERSIGN_ACCEPTED_SECRETS: secret,
    COUNTERSIGN_ISSUER: "https://auth.example.com/tenant",
    COUNTERSIGN_AUDIENCE: "notes",
    COUNTERSIGN_ALG: "ES256",
    COUNTERSIGN_ACCESS_TTL: "90s",
    COUNTERSIGN_REFRESH_TTL: "12h",
    COUNTERSIGN_REGISTRATION: "closed",
    COUNTERSIGN_ORIGINS: "https://app.example.com, http://localhost:5173",
    COUNTERSIGN_TRUSTED_PROXIES: "10.0.0.0/8,::1",
    COUNTERSIGN_NAME: "Acme",
    COUNTERSIGN_ACCENT: "#0b6e4f, #7ddfb5",
    LOG_LEVEL: "warn",
    NODE_ENV: "production",
  });
  expect(environment).toMatchObject({
    auth: {
      secret,
      acceptedSecrets: [secret],
      issuer: "https://auth.example.com/tenant",
      audience: "notes",
      algorithm: "ES256",
      accessTtlSeconds: 90,
      refreshTtlSeconds: 43_200,
      registration: "closed",
      log: { level: "warn" },
    },
    app: {
      origins: ["https://app.example.com", "http://localhost:5173"],
      trustedProxies: ["10.0.0.0/8", "::1"],
      pages: { name: "Acme", accent: { light: "#0b6e4f", dark: "#7ddfb5" } },
    },
    listen: { port: 8080, host: "::" },
    production: true,
    forPeople: process.stdout.isTTY === true,
    notes: [],
  });
  expect(environment.auth.database.location).toBe("/srv/auth.db");
});

const good: Readonly<Record<string, readonly string[]>> = {
  PORT: ["0", "1", "65535", " 3000 "],
  HOST: ["0.0.0.0", "::1", "localhost", "auth.internal"],
  DATABASE_URL: [
    "file:./data/x.db",
    "./x.db",
    "/srv/x.db",
    ":memory:",
    "file::memory:",
    "postgres://u:p@db/x",
    "postgresql://db/x",
  ],
  COUNTERSIGN_SECRET: [secret, `${secret}=`, "", "a4".repeat(3) + Buffer.from(secret).toString("hex")],
  COUNTERSIGN_ACCEPTED_SECRETS: [secret, `${secret}, ${secret}`, ""],
  COUNTERSIGN_ISSUER: ["http://localhost:3000", "https://auth.example.com", "https://example.com/auth", ""],
  COUNTERSIGN_AUDIENCE: ["notes", "https://api.example.com"],
  COUNTERSIGN_ALG: ["EdDSA", "ES256", "RS256", "HS256"],
  COUNTERSIGN_ACCESS_TTL: ["1s", "90s", "15m", "24h", "1d"],
  COUNTERSIGN_REFRESH_TTL: ["15m", "12h", "30d", "365d"],
  COUNTERSIGN_REGISTRATION: ["open", "closed"],
  COUNTERSIGN_ORIGINS: ["https://app.example.com", "https://a.example,https://b.example:8443", ""],
  COUNTERSIGN_TRUSTED_PROXIES: ["127.0.0.1", "10.0.0.0/8, fd00::/8", ""],
  COUNTERSIGN_NAME: ["Acme", "", "Müller & Söhne"],
  COUNTERSIGN_ACCENT: ["#1a5ab8,#8ab4f8", ""],
  LOG_LEVEL: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
  NODE_ENV: ["development", "test", "staging", ""],
};

const bad: Readonly<Record<string, readonly string[]>> = {
  PORT: ["x", "-1", "65536", "80a", "3000.5", "0x50", "1e3", "999999"],
  HOST: ["http://localhost", "a b", "127.0.0.1:3000", "[::1]", "-x"],
  DATABASE_URL: [
    "mysql://root:hunter2@db/x",
    "file:",
    "file:./x.db?mode=ro",
    "postgres://u:hunter2@db",
    "postgresql://",
    "postgres://u:hunter2@:port/x",
  ],
  COUNTERSIGN_SECRET: [
    "short",
    "a".repeat(64),
    secret.slice(0, 40),
    `${secret} ${secret}`,
    "correct horse battery staple, again and again",
  ],
  COUNTERSIGN_ACCEPTED_SECRETS: ["short", `${secret},short`, `${secret};${secret}`],
  COUNTERSIGN_ISSUER: [
    "auth.example.com",
    "https://auth.example.com/",
    "ftp://auth.example.com",
    "https://auth.example.com?x=1",
    "https://auth.example.com#x",
    "https://",
    "https://a b",
  ],
  COUNTERSIGN_ALG: ["none", "eddsa", "PS256"],
  COUNTERSIGN_ACCESS_TTL: ["15", "0s", "-1m", "1.5h", "25h", "15 minutes", "1w", "15M", "99999999999s"],
  COUNTERSIGN_REFRESH_TTL: ["30", "0d", "366d", "forever", "30d12h"],
  COUNTERSIGN_REGISTRATION: ["yes", "Open"],
  COUNTERSIGN_ORIGINS: [
    "*",
    "null",
    "app.example.com",
    "https://app.example.com/",
    "https://*.example.com",
    "https://a.example,",
    "https://a.example;https://b.example",
    "HTTPS://A.example",
  ],
  COUNTERSIGN_TRUSTED_PROXIES: ["10.0.0.0/33", "localhost", "10.0.0.1,", "10.0.0.0/8 10.1.0.0/16"],
  COUNTERSIGN_NAME: ["x".repeat(101), "a\nb"],
  COUNTERSIGN_ACCENT: ["blue", "#1a5ab8", "#ffffff,#000000", "#1a5ab8,#8ab4f8,#8ab4f8"],
  LOG_LEVEL: ["verbose", "INFO", "3"],
  NODE_ENV: ["prod", "Production", "PRODUCTION"],
};

const rowsOf = (table: typeof good) =>
  Object.entries(table).flatMap(([name, values]) => values.map((value) => ({ name, value })));

test.for(rowsOf(good))("$name may be '$value'", ({ name, value }) => {
  const env = { DATABASE_URL: join(folder, "x.db"), [name]: value };
  if (name === "DATABASE_URL" || name === "COUNTERSIGN_SECRET") expect(mistakesOf(env)).toEqual([]);
  // What the environment lets through, createAuth takes.
  else createAuth(readEnvironment({ COUNTERSIGN_SECRET: secret, ...env }).auth);
});

test.for(rowsOf(bad))("$name may not be '$value'", ({ name, value }) => {
  const mistakes = mistakesOf({ [name]: value });
  expect(mistakes).toHaveLength(1);
  expect(mistakes[0]).toMatch(new RegExp(`^${name} (must be|names) `));
  // A value may be a secret, or hold one: what is said depends on the variable alone.
  expect(mistakes).toEqual(mistakesOf({ [name]: bad[name]?.[0] }));
  expect(mistakes[0]).not.toContain("hunter2");
});

test("every variable is in both tables, or cannot be wrong", () => {
  expect(Object.keys(good)).toEqual(expect.arrayContaining(Object.keys(bad)));
  expect(Object.keys(good).filter((name) => !Object.hasOwn(bad, name))).toEqual(["COUNTERSIGN_AUDIENCE"]);
});

test("all mistakes are told at once, each with what was expected", () => {
  const env = Object.fromEntries(Object.entries(bad).map(([name, [value]]) => [name, value]));
  expect(mistakesOf(env).map((mistake) => mistake.split(" ")[0])).toEqual(Object.keys(bad));
  expect(() => readEnvironment({ PORT: "x", LOG_LEVEL: "loud", NODE_ENV: "production" })).toThrow(
    [
      "The environment has 3 mistakes:",
      "  - PORT must be a whole number from 0 to 65535",
      "  - LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent",
      "  - COUNTERSIGN_SECRET must be set when NODE_ENV is production: at least 32 random bytes, base64url (`countersign secret` makes one)",
    ].join("\n"),
  );
});

test("a PostgreSQL is named without its password and its parameters", () => {
  const { auth } = readEnvironment({ DATABASE_URL: "postgresql://auth:hunter2@db:5433/auth?sslpassword=hunter2" });
  expect(auth.database).toMatchObject({ dialect: "postgres", location: "postgres://auth@db:5433/auth" });
});

test("an access token may not outlive its session", () => {
  expect(mistakesOf({ COUNTERSIGN_ACCESS_TTL: "2h", COUNTERSIGN_REFRESH_TTL: "1h" })).toEqual([
    "COUNTERSIGN_ACCESS_TTL must not exceed COUNTERSIGN_REFRESH_TTL",
  ]);
  expect(mistakesOf({ COUNTERSIGN_REFRESH_TTL: "14m" })).toHaveLength(1);
});

test("a variable that looks like one of ours and is none is noted, and stops nothing", () => {
  const { notes } = readEnvironment({ COUNTERSIGN_SECRET: secret, COUNTERSIGN_ISSUR: "https://auth.example.com" });
  expect(notes).toEqual([expect.stringMatching(/^COUNTERSIGN_ISSUR means nothing .*COUNTERSIGN_ISSUER/)]);
});

test("production without an issuer is noted", () => {
  const { notes } = readEnvironment({ COUNTERSIGN_SECRET: secret, NODE_ENV: "production" });
  expect(notes).toEqual([expect.stringMatching(/^COUNTERSIGN_ISSUER is not set/)]);
});

test("production needs a secret, and makes none", () => {
  const DATABASE_URL = join(folder, "x.db");
  expect(() => readEnvironment({ NODE_ENV: "production", DATABASE_URL })).toThrow(/^COUNTERSIGN_SECRET must be set/);
  writeFileSync(join(folder, "countersign.secret"), secret);
  expect(() => readEnvironment({ NODE_ENV: "production", DATABASE_URL })).toThrow(/^COUNTERSIGN_SECRET must be set/);
});

/** The secret that an environment leads to: where it is kept in a file, taking it makes the file. */
function secretOf(env: NodeJS.ProcessEnv): string {
  const { secret } = readEnvironment(env).auth;
  return typeof secret === "string" ? secret : secret();
}

test("development keeps one secret beside the database, for its user alone", () => {
  const env = { DATABASE_URL: join(folder, "data", "x.db") };
  const file = join(folder, "data", "countersign.secret");
  const first = secretOf(env);
  expect(first).toMatch(/^[\w-]{43}$/);
  expect(readFileSync(file, "utf8")).toBe(`${first}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "data")).mode & 0o777).toBe(0o700);
  expect(readEnvironment(env).notes).toEqual([expect.stringContaining(file)]);
  expect(secretOf(env)).toBe(first);
  expect(readdirSync(join(folder, "data"))).toEqual(["countersign.secret"]);
});

test("a database in memory has a secret in memory", () => {
  const [first, second] = [0, 1].map(() => secretOf({ DATABASE_URL: ":memory:" }));
  expect(first).not.toBe(second);
});

test("reading makes nothing: a test may import an application's auth", () => {
  readEnvironment({ DATABASE_URL: join(folder, "data", "x.db") });
  expect(existsSync(join(folder, "data"))).toBe(false);
});

test.for(["", "short\n", "a".repeat(43)])("a file that holds no secret is not used: '%s'", (content) => {
  writeFileSync(join(folder, "countersign.secret"), content);
  expect(() => secretOf({ DATABASE_URL: join(folder, "x.db") })).toThrow(
    /^COUNTERSIGN_SECRET is not set, and the file .* cannot keep one for development: .* delete a damaged file/,
  );
});

test("a folder that is none is told with its code", () => {
  writeFileSync(join(folder, "data"), "");
  const DATABASE_URL = join(folder, "data", "x.db");
  expect(() => secretOf({ DATABASE_URL })).toThrow(/\(ENOTDIR\)|\(EEXIST\)/);
});

test("processes that start at once end up with the same secret", { timeout: 30_000 }, async () => {
  const module = JSON.stringify(new URL("./master-secret.ts", import.meta.url).href);
  const file = JSON.stringify(join(folder, "data", "countersign.secret"));
  const program = `
    const { keepDevelopmentSecret } = await import(${module});
    process.stdout.write("ready");
    process.stdin.once("data", () => {
      process.stdout.write(keepDevelopmentSecret(${file}));
      process.exit();
    });`;
  const starters = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["pipe", "pipe", "inherit"] }),
  );
  await Promise.all(starters.map(({ stdout }) => once(stdout, "readable")));
  const answers = starters.map(({ stdout }) => text(stdout));
  for (const { stdin } of starters) stdin.end("go");
  const secrets = await Promise.all(answers);
  expect(secrets[0]).toMatch(/^ready[\w-]{43}$/);
  expect(new Set(secrets).size).toBe(1);
  expect(readdirSync(join(folder, "data"))).toEqual(["countersign.secret"]);
});

test("a file of another mode is read as it is: the doctor speaks of it", () => {
  const env = { DATABASE_URL: join(folder, "x.db") };
  const secret = secretOf(env);
  chmodSync(join(folder, "countersign.secret"), 0o644);
  expect(secretOf(env)).toBe(secret);
});

test("an error that nobody catches names each mistake once", () => {
  const error = new EnvironmentError(["PORT must be a number", "HOST must be a host"]);
  expect(inspect(error).match(/PORT must be a number/g)).toHaveLength(1);
  expect(error.mistakes).toEqual(["PORT must be a number", "HOST must be a host"]);
});
