import { chmodSync, cpSync, existsSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { password, type Workplace, workplace } from "../support/workplace.ts";

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly message: string;
}

/** What the doctor finds: the exit code, and the lines that are a problem. */
async function examine(place: Workplace, env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await place.run(["doctor", "--json"], { env });
  expect(stderr).toBe("");
  const findings = JSON.parse(stdout) as Finding[];
  expect(code).toBe(findings.every(({ ok }) => ok) ? 0 : 1);
  return { findings, problems: findings.filter(({ ok }) => !ok).map(({ check, message }) => `${check}: ${message}`) };
}

function change(place: Workplace, sql: string): void {
  using db = new DatabaseSync(place.at("data", "countersign.db"));
  db.exec(sql);
}

const template = workplace();
beforeAll(() => template.json(["users", "create", "ada", "--password-stdin"], { input: password }));
afterAll(() => template[Symbol.asyncDispose]());

function healthyPlace(): Workplace {
  const place = workplace();
  cpSync(template.at("data"), place.at("data"), { recursive: true });
  return place;
}

test("all is well: a line each, exit 0", async () => {
  await using place = healthyPlace();
  const { findings, problems } = await examine(place);
  expect(problems).toEqual([]);
  expect(findings.map(({ check }) => check)).toEqual([
    "configuration",
    "secret",
    "database",
    "schema",
    "clock",
    "keys",
  ]);
  const { code, stdout } = await place.run(["doctor"]);
  expect(code).toBe(0);
  expect(stdout.trim().split("\n")).toHaveLength(6);
  for (const line of stdout.trim().split("\n")) expect(line).toMatch(/^ok {7}\w+ +\S/);
});

test("on a fresh machine it says how to begin, and makes nothing", async () => {
  await using place = workplace();
  const { problems } = await examine(place);
  expect(problems).toEqual([expect.stringMatching(/^database: There is none at .* countersign migrate up$/)]);
  expect(existsSync(place.at("data"))).toBe(false);
});

test("mistakes in the environment are a line each", async () => {
  await using place = workplace();
  const { problems } = await examine(place, { PORT: "x", COUNTERSIGN_ALG: "none" });
  expect(problems).toEqual([
    "configuration: PORT must be a whole number from 0 to 65535.",
    "configuration: COUNTERSIGN_ALG must be one of EdDSA, ES256, RS256, HS256.",
  ]);
});

test("a variable that is probably misspelt is a problem", async () => {
  await using place = healthyPlace();
  const { problems } = await examine(place, { COUNTERSIGN_ISSUR: "https://auth.example.com" });
  expect(problems).toEqual([expect.stringMatching(/^configuration: COUNTERSIGN_ISSUR means nothing/)]);
});

test("production without a secret is a problem", async () => {
  await using place = healthyPlace();
  const { problems } = await examine(place, { NODE_ENV: "production", COUNTERSIGN_ISSUER: "https://auth.example.com" });
  expect(problems[0]).toMatch(/^secret: COUNTERSIGN_SECRET must be set when NODE_ENV is production/);
});

test("a secret that others may read is a problem, and so is a damaged one", async () => {
  await using place = healthyPlace();
  const file = place.at("data", "countersign.secret");
  chmodSync(file, 0o640);
  expect((await examine(place)).problems).toEqual([
    expect.stringContaining(`secret: Others may read ${file}. Run: chmod 600`),
  ]);
  writeFileSync(file, "gone");
  expect((await examine(place)).problems).toEqual([
    expect.stringMatching(/^secret: COUNTERSIGN_SECRET is not set, and the file .* cannot keep one/),
    "keys: Without the secret that sealed them, they cannot be opened.",
  ]);
});

test("a secret that does not open the keys is a problem", async () => {
  await using place = healthyPlace();
  const { problems } = await examine(place, { COUNTERSIGN_SECRET: "q1aN0mUu4Wc9lq0ySg3cWm8Xq2r7ZJt5fVhD6kEoB1I" });
  expect(problems).toEqual([
    expect.stringMatching(/^keys: The signing keys in the database were sealed with another secret/),
  ]);
});

const day = 86_400_000;

test.for([
  {
    name: "a database that is no database",
    break: (place: Workplace) => writeFileSync(place.at("data", "countersign.db"), "Dear diary, …\n".repeat(500)),
    says: /^database: .* is damaged, or is not an SQLite database\. Restore it/,
  },
  {
    name: "tables that differ",
    break: (place: Workplace) => change(place, "drop index accounts_email_key"),
    says: /^schema: .*index accounts_email_key is missing/,
  },
  {
    name: "a pending migration",
    break: (place: Workplace) => change(place, "delete from countersign_migrations"),
    says: /^schema: 2 migrations are pending\. .*countersign migrate up$/,
  },
  {
    name: "a newer schema",
    break: (place: Workplace) =>
      change(place, "insert into countersign_migrations values (9001, 'future', 'x', 9001, 0)"),
    says: /^schema: Migration 9001 \(future\) is not one of this version/,
  },
  {
    name: "a clock that runs behind",
    break: (place: Workplace) => change(place, `update audit_events set at = ${Date.now() + 3 * day}`),
    says: /^clock: This machine's clock is 3 days behind the newest row/,
  },
  {
    name: "a key that nobody replaced",
    break: (place: Workplace) =>
      change(
        place,
        `update signing_keys set activates_at = ${Date.now() - 100 * day}, created_at = ${Date.now() - 100 * day}`,
      ),
    says: /^keys: The newest is 100 days old\. Run: countersign keys rotate$/,
  },
])("$name is a problem", async ({ break: spoil, says }) => {
  await using place = healthyPlace();
  spoil(place);
  const { problems } = await examine(place);
  expect(problems).toEqual([expect.stringMatching(says)]);
});

test("keys of another algorithm than the environment says are a problem, and none is made", async () => {
  await using place = healthyPlace();
  const { problems } = await examine(place, { COUNTERSIGN_ALG: "ES256" });
  expect(problems).toEqual([expect.stringMatching(/^keys: They sign with EdDSA, and COUNTERSIGN_ALG says ES256/)]);
  expect(place.query("select count(*) as keys from signing_keys")).toEqual([{ keys: 1 }]);
});
