/** What `countersign doctor` looks at, in the order in which things are needed. */
import { existsSync, statSync } from "node:fs";
import { realEffects } from "../create-auth.ts";
import type { Db } from "../deps.ts";
import { createKeyRing } from "../engine/key-ring.ts";
import { type EnvironmentWithoutSecret, readEnvironment, readEnvironmentWithoutSecret } from "../environment.ts";
import { EnvironmentError } from "../environment-error.ts";
import { sentenceOf } from "../failure.ts";
import { resolveOptions } from "../options.ts";
import { checkCatalogue } from "../store/catalogue.ts";
import { readMark, refuseMarked } from "../store/marks.ts";
import { migrationStatus } from "../store/migrate.ts";
import { hasMigrationsTable } from "../store/migrations/table.ts";
import { listSigningKeys } from "../store/signing-keys.ts";

/** What one look found. `message` says what is so, and for a problem what to do. */
export interface Finding {
  readonly check: "configuration" | "secret" | "database" | "schema" | "clock" | "keys";
  readonly ok: boolean;
  readonly message: string;
}

/** Looks at everything, and changes nothing. */
export async function diagnose(): Promise<Finding[]> {
  let environment: EnvironmentWithoutSecret;
  try {
    environment = readEnvironmentWithoutSecret();
  } catch (error) {
    return mistakesIn(error).map((mistake) => problem("configuration", `${mistake}.`));
  }
  const { notes } = environment;
  const configuration = notes.length === 0 ? [fine("configuration", "Every variable can be used.")] : [];
  const secret = findSecret(environment);
  return [
    ...configuration,
    ...notes.map((note) => problem("configuration", note)),
    secret.finding,
    ...(await lookAtDatabase(environment, secret.value)),
  ];
}

function findSecret({ secret, production }: EnvironmentWithoutSecret): { finding: Finding; value: string | null } {
  if ("value" in secret) {
    return { finding: fine("secret", "COUNTERSIGN_SECRET is set."), value: secret.value };
  }
  if (!production && (secret.file === null || !existsSync(secret.file))) {
    return { finding: fine("secret", "There is none yet: the first start makes one for development."), value: null };
  }
  try {
    const { auth } = readEnvironment();
    return {
      finding: secret.file === null ? fine("secret", "It is made at each start.") : readableBy(secret.file),
      value: typeof auth.secret === "string" ? auth.secret : auth.secret(),
    };
  } catch (error) {
    return { finding: problem("secret", `${mistakesIn(error).join(". ")}.`), value: null };
  }
}

/** POSIX only: Windows has no such bits, and says 0666 of everything. */
function readableBy(file: string): Finding {
  const others = process.platform === "win32" ? 0 : statSync(file).mode & 0o077;
  return others === 0
    ? fine("secret", `It is in ${file}, which only its owner may read.`)
    : problem(
        "secret",
        `Others may read ${file}. Run: chmod 600 ${file}. If somebody may have read it, make another secret.`,
      );
}

async function lookAtDatabase(environment: EnvironmentWithoutSecret, secret: string | null): Promise<Finding[]> {
  const { database } = environment.auth;
  const { location } = database;
  if (location === ":memory:") return [fine("database", "It is in memory, and made at each start.")];
  if (database.dialect === "sqlite" && !existsSync(location)) {
    return [problem("database", `There is none at ${location}. Start the server, or run: countersign migrate up`)];
  }
  try {
    await using db = await database.open();
    const schema = await lookAtSchema(db);
    const others = schema.ok ? [await lookAtClock(db), await lookAtKeys(db, environment, secret)] : [];
    return [fine("database", `${location} can be read and written.`), schema, ...others];
  } catch (error) {
    return [problem("database", sentenceOrThrow(error))];
  }
}

async function lookAtSchema(db: Db): Promise<Finding> {
  try {
    if (await hasMigrationsTable(db)) refuseMarked(await readMark(db.$extendTables()));
  } catch (error) {
    return problem("schema", sentenceOrThrow(error));
  }
  const migrations = await migrationStatus(db);
  const unfit = migrations.find(({ state }) => state === "unknown" || state === "changed");
  if (unfit !== undefined) {
    return problem(
      "schema",
      `Migration ${unfit.id} (${unfit.name}) is not one of this version: another version made the database. Run that one, or a later one.`,
    );
  }
  const pending = migrations.filter(({ state }) => state === "pending").length;
  if (pending > 0) {
    const migrationsPending = pending === 1 ? "1 migration is" : `${pending} migrations are`;
    return problem("schema", `${migrationsPending} pending. Start the server, or run: countersign migrate up`);
  }
  try {
    await checkCatalogue(db);
    return fine("schema", "It is what this version expects.");
  } catch (error) {
    return problem("schema", sentenceOrThrow(error));
  }
}

/** How far a row may lie in the future before something is wrong with a clock. */
const clockSlackMs = 60_000;

async function lookAtClock(db: Db): Promise<Finding> {
  const newest = await Promise.all([
    db
      .selectFrom("audit_events")
      .select(({ fn }) => fn.max("at").as("at"))
      .executeTakeFirst(),
    db
      .selectFrom("feed_events")
      .select(({ fn }) => fn.max("created_at").as("at"))
      .executeTakeFirst(),
    db
      .selectFrom("signing_keys")
      .select(({ fn }) => fn.max("created_at").as("at"))
      .executeTakeFirst(),
  ]);
  const aheadMs = Math.max(...newest.map((row) => Number(row?.at ?? 0))) - realEffects.now();
  if (aheadMs <= clockSlackMs) return fine("clock", "It is not behind the newest row.");
  return problem(
    "clock",
    `This machine's clock is ${duration(aheadMs)} behind the newest row in the database. Set it by NTP: sessions end by the clock.`,
  );
}

async function lookAtKeys(db: Db, environment: EnvironmentWithoutSecret, secret: string | null): Promise<Finding> {
  const newest = (await listSigningKeys(db)).at(-1);
  if (newest === undefined) return fine("keys", "There is none yet: the first start makes one.");
  if (secret === null) return problem("keys", "Without the secret that sealed them, they cannot be opened.");
  const { settings, secrets: takeSecrets } = resolveOptions({ ...environment.auth, secret });
  const algorithm = newest.algorithm as typeof settings.algorithm;
  try {
    // With the algorithm of the newest key, so that none is made here.
    await createKeyRing({
      ...settings,
      algorithm,
      db,
      now: realEffects.now,
      randomBytes: noRandomness,
      secrets: takeSecrets(),
    });
  } catch (error) {
    return problem("keys", sentenceOrThrow(error));
  }
  if (algorithm !== settings.algorithm) {
    return problem(
      "keys",
      `They sign with ${algorithm}, and COUNTERSIGN_ALG says ${settings.algorithm}. Run: countersign keys rotate`,
    );
  }
  const ageMs = realEffects.now() - newest.activates_at;
  if (ageMs > settings.keyLifetimeSeconds * 1_000 + dayMs) {
    return problem("keys", `The newest is ${duration(ageMs)} old. Run: countersign keys rotate`);
  }
  return fine("keys", `The secret opens them; the newest is ${duration(Math.max(0, ageMs))} old.`);
}

const dayMs = 86_400_000;

function noRandomness(): never {
  throw new Error("doctor makes no keys");
}

function duration(milliseconds: number): string {
  const [size, unit] =
    milliseconds >= 2 * dayMs
      ? [dayMs, "days"]
      : milliseconds >= 7_200_000
        ? [3_600_000, "hours"]
        : [60_000, "minutes"];
  return `${Math.round(milliseconds / size)} ${unit}`;
}

function mistakesIn(error: unknown): readonly string[] {
  if (error instanceof EnvironmentError) return error.mistakes;
  throw error;
}

function sentenceOrThrow(error: unknown): string {
  const sentence = sentenceOf(error);
  if (sentence === null) throw error;
  return sentence;
}

function fine(check: Finding["check"], message: string): Finding {
  return { check, ok: true, message };
}

function problem(check: Finding["check"], message: string): Finding {
  return { check, ok: false, message };
}
