import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { type Workplace, workplace } from "../support/workplace.ts";

function change(place: Workplace, sql: string): void {
  using db = new DatabaseSync(place.at("data", "countersign.db"));
  db.exec(sql);
}

test("up applies what is pending and says so, twice is once, and no secret is needed or made", async () => {
  await using place = workplace();
  const env = { NODE_ENV: "production" };
  const first = await place.run(["migrate", "up"], { env });
  expect(first.stderr).toBe("");
  expect(first.stdout).toMatch(
    /^Applying migration 1 \(initial\)\nApplied migration 1 \(initial\)\nApplying migration 2 \(account-life\)\n/,
  );
  expect(first.stdout).toContain(`The database ${place.at("data", "countersign.db")} is up to date.\n`);
  expect(await place.json(["migrate", "up"], { env })).toEqual({ applied: [] });
  expect(existsSync(place.at("data", "countersign.secret"))).toBe(false);
});

test("status lists the migrations and changes nothing", async () => {
  await using place = workplace();
  await place.json(["migrate", "up"]);
  const applied = { id: 1, name: "initial", state: "applied", appliedAt: expect.stringMatching(/Z$/) };
  expect(await place.json(["migrate", "status"])).toContainEqual(applied);
  expect((await place.run(["migrate", "status"])).stdout).toMatch(
    /^MIGRATION {2}NAME +STATE +APPLIED\n1 +initial +applied /,
  );

  change(place, "delete from countersign_migrations");
  const pending = { id: 1, name: "initial", state: "pending", appliedAt: null };
  for (const _ of [1, 2]) expect(await place.json(["migrate", "status"])).toContainEqual(pending);
});

test("up refuses a database that is newer, and one whose tables differ", async () => {
  await using place = workplace();
  await place.json(["migrate", "up"]);
  change(place, "drop index accounts_email_key");
  const differs = await place.run(["migrate", "up"]);
  expect(differs.code).toBe(1);
  expect(differs.stderr).toContain("index accounts_email_key is missing");

  change(place, "insert into countersign_migrations values (9001, 'from-the-future', 'x', 9001, 0)");
  const newer = await place.run(["migrate", "up"]);
  expect(newer.code).toBe(1);
  expect(newer.stderr).toMatch(/^The database has migration 9001, /);
  expect(await place.json(["migrate", "status"])).toContainEqual(
    expect.objectContaining({ id: 9001, name: "from-the-future", state: "unknown" }),
  );
});

test("up at the same time as others applies each migration once", async () => {
  await using place = workplace();
  const runs = await Promise.all([1, 2, 3].map(() => place.json(["migrate", "up"])));
  const applied = runs.flatMap((run) => (run as { applied: { id: number }[] }).applied.map(({ id }) => id));
  expect(applied).toEqual([...new Set(applied)]);
  expect(applied).toContain(1);
});
