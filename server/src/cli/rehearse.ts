/** `countersign migrate --rehearse`: an upgrade is tried on a copy, by the new program and by the one before, and then done. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { createAuth, realEffects } from "../create-auth.ts";
import type { Db } from "../deps.ts";
import { environmentFor } from "../environment.ts";
import { sentenceOf } from "../failure.ts";
import { compareAccounts } from "../flows/rehearsal/compare-accounts.ts";
import { type Exercised, exercise } from "../flows/rehearsal/exercise.ts";
import type { AuthOptions } from "../options.ts";
import { checkCatalogue } from "../store/catalogue.ts";
import type { Database, DatabaseCopy } from "../store/database.ts";
import { readMark, setMark } from "../store/marks.ts";
import { type AppliedMigration, migrate, migrationStatus } from "../store/migrate.ts";
import { keep } from "../store/rehearsal/kept.ts";
import { UsageError } from "./errors.ts";
import { printFinding, printJson } from "./output.ts";
import { type AuthOption, optionsOf, requireDatabase } from "./with-auth.ts";

export interface RehearsalOptions extends AuthOption {
  /** Of the release before: its `countersign`. */
  readonly before?: string;
  readonly json?: boolean;
}

interface Finding {
  readonly check: "copy" | "migrations" | "accounts" | "sessions" | "before";
  readonly ok: boolean;
  readonly message: string;
}

const { now } = realEffects;

export async function rehearse({ before, json, ...where }: RehearsalOptions): Promise<void> {
  if (before !== undefined && where.auth !== undefined) {
    throw new UsageError(
      "--before works with the environment alone: an application's own auth cannot be shown a copy.",
    );
  }
  const options = await optionsOf(where);
  await requireTables(options.database);
  const findings: Finding[] = [];
  for await (const finding of tryOnCopy(options, before)) {
    findings.push(finding);
    if (!json) printFinding(finding);
  }
  const isFit = findings.every(({ ok }) => ok);
  const applied = isFit ? await apply(options.database) : [];
  if (!isFit) process.exitCode = 1;
  if (json) printJson({ fit: isFit, findings, applied });
  else console.log(`\n${verdict(isFit, applied, options.database)}`);
}

async function requireTables(database: Database): Promise<void> {
  requireDatabase(database);
  await using db = await database.open();
  const migrations = await migrationStatus(db);
  if (migrations.some(({ state }) => state !== "pending")) return;
  throw new UsageError("There is nothing to rehearse: the database has no tables. Make them: countersign migrate up");
}

function verdict(isFit: boolean, applied: readonly AppliedMigration[], { location }: Database): string {
  if (!isFit) return `Not fit: nothing was changed in ${location}.`;
  if (applied.length === 0) return `Fit. Nothing was pending: nothing was changed in ${location}.`;
  return `Fit, and applied to ${location}: ${namesOf(applied)}.`;
}

async function apply(database: Database): Promise<readonly AppliedMigration[]> {
  await using db = await database.open();
  const applied = await migrate(db, { now });
  await checkCatalogue(db);
  return applied;
}

/** Ends with the first finding after which the others would say nothing. */
async function* tryOnCopy(options: AuthOptions, before: string | undefined): AsyncGenerator<Finding, void> {
  const begun = performance.now();
  await using copy = await options.database.copy();
  {
    await using db = await copy.database.open();
    const { live } = await keep(db, now());
    yield fine("copy", `It was made in ${secondsSince(begun)}, with ${live} live sessions.`);
    const migrations = await migrateCopy(db, options.database);
    yield migrations;
    if (!migrations.ok) return;
    yield await lookAtAccounts(db, options);
  }
  const mine = await exerciseOn({ ...options, database: copy.database });
  yield findingOf("sessions", mine, `${mine.refreshed} that are live were refreshed; a newcomer signs up, in and out.`);
  if (before !== undefined) yield await tryBefore(copy, before);
  else yield fine("before", "Not tried. While its servers run on, name the release before with --before.");
}

async function migrateCopy(db: Db, { location: place }: Database): Promise<Finding> {
  try {
    await setMark(db.$extendTables(), { kind: "rehearsal", id: "", place }, now());
    const begun = performance.now();
    const applied = await migrate(db, { now });
    const took = secondsSince(begun);
    await checkCatalogue(db);
    return fine("migrations", applied.length === 0 ? "None is pending." : `In ${took}: ${namesOf(applied)}.`);
  } catch (error) {
    const sentence = sentenceOf(error);
    if (sentence === null) throw error;
    return { check: "migrations", ok: false, message: sentence };
  }
}

async function lookAtAccounts(db: Db, { authenticate }: AuthOptions): Promise<Finding> {
  if (authenticate !== undefined) return fine("accounts", "They are the application's own.");
  const { accounts, withoutPassword, problems } = await compareAccounts(db, {
    onProgress(count) {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${count} accounts …\r`);
    },
  });
  const message = `${accounts} are found by what they sign in with; ${withoutPassword} of them have no password.`;
  return findingOf("accounts", { problems }, message);
}

async function exerciseOn(options: AuthOptions): Promise<Exercised> {
  await using auth = createAuth(options);
  return await exercise(await auth.start());
}

/** The command behind `--before`: what the next release calls of this one. Its output is a contract between releases. */
export async function exerciseCopy(): Promise<void> {
  const options = await optionsOf({});
  {
    await using db = await options.database.open();
    const mark = await readMark(db.$extendTables()).catch(() => null);
    if (mark?.kind !== "rehearsal") {
      throw new UsageError(
        "This is for a copy that countersign migrate --rehearse has made: it changes what is in it.",
      );
    }
  }
  printJson(await exerciseOn(options));
}

const Exercise = z.object({ refreshed: z.number(), problems: z.array(z.string()) });

async function tryBefore({ url }: DatabaseCopy, before: string): Promise<Finding> {
  const [command, ...args] = /\.[cm]?js$/.test(before) ? [process.execPath, before] : [before];
  const child = spawn(command ?? before, [...args, "migrate", "exercise", "--json"], {
    env: environmentFor(url),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const failure = new Promise<Error | null>((resolve) => {
    child.once("error", resolve);
    child.once("close", () => resolve(null));
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if ((await failure) !== null)
    throw new UsageError(`${before} cannot be run. Name the countersign of the release before.`);
  const parsed = Exercise.safeParse(jsonIn(stdout));
  if (!parsed.success) return { check: "before", ok: false, message: stderr.trim() || "It said nothing." };
  return findingOf(
    "before",
    parsed.data,
    `The release before works on it too: ${parsed.data.refreshed} sessions were refreshed.`,
  );
}

function jsonIn(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    return null;
  }
}

function findingOf(check: Finding["check"], { problems }: Pick<Exercised, "problems">, message: string): Finding {
  return problems.length === 0 ? fine(check, message) : { check, ok: false, message: problems.join(" ") };
}

function fine(check: Finding["check"], message: string): Finding {
  return { check, ok: true, message };
}

function namesOf(migrations: readonly AppliedMigration[]): string {
  return migrations.map(({ id, name }) => `${id} (${name})`).join(", ");
}

function secondsSince(begun: number): string {
  return `${((performance.now() - begun) / 1_000).toFixed(1)} s`;
}
