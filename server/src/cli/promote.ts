import type { Command } from "commander";
import type { Database } from "../store/database.ts";
import type { Promoted, PromotionProgress } from "../store/promotion/promote.ts";
import { CommandError, UsageError } from "./errors.ts";
import { addHelp } from "./help.ts";
import { printJson, printTable } from "./output.ts";
import { type AuthOption, authOption, databaseOf, requireDatabase } from "./with-auth.ts";

/** To count a large table takes a while. */
const longestStatementMs = 600_000;

interface Options extends AuthOption {
  readonly to: string;
  readonly json?: boolean;
}

export function addPromoteCommand(program: Command): void {
  const command = program
    .command("promote")
    .description(
      "Move from SQLite to PostgreSQL while the server works: copy, compare, and switch. The server on the SQLite then refuses, until it is started on the PostgreSQL; nobody is signed out.",
    )
    .requiredOption("--to <url>", "an empty PostgreSQL; its password may be in PGPASSWORD instead")
    .option(...authOption)
    .option("--json", "print JSON")
    .action(promoteDatabase);
  addHelp(command, [
    "countersign promote --to postgres://user:password@host:5432/name",
    "PGPASSWORD=… DATABASE_URL=file:./data/app.db countersign promote --to postgres://user@host/name",
  ]);
}

async function promoteDatabase({ to, json, ...where }: Options): Promise<void> {
  const target = await targetAt(to);
  const source = await databaseOf(where);
  if (source.dialect !== "sqlite") throw new UsageError(`The database is on PostgreSQL already: ${source.location}`);
  requireDatabase(source);
  const { promote } = await import("../store/promotion/promote.ts");
  const { realEffects } = await import("../create-auth.ts");
  const { newId } = await import("../crypto/id.ts");
  const breaking = new AbortController();
  process.once("SIGINT", () => breaking.abort());
  const bar = json ? null : await progressBar();
  let promoted: Promoted | null;
  try {
    promoted = await promote({
      source,
      target,
      now: realEffects.now,
      id: newId(realEffects.now(), realEffects.randomBytes(16)),
      signal: breaking.signal,
      onProgress: (progress) => bar?.show(progress),
    });
  } catch (error) {
    if (!breaking.signal.aborted) throw error;
    throw new CommandError("Broken off. The server goes on with the SQLite as before; run it again when you like.");
  } finally {
    bar?.stop();
  }
  report(promoted, { source, target, json });
}

async function targetAt(url: string): Promise<Database> {
  const { postgres } = await import("../store/postgres.ts");
  try {
    return postgres(url, { statementTimeoutMs: longestStatementMs });
  } catch {
    // Never the value: it may hold a password.
    throw new UsageError("--to must be as in postgres://user:password@host:5432/name");
  }
}

/** On a terminal only. */
async function progressBar() {
  const { default: progress } = await import("cli-progress");
  const bar = new progress.SingleBar({
    format: "{step} {what} {bar} {value} of {total} rows, {eta_formatted} left",
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
  });
  let shown = "";
  return {
    show({ step, table, rows, of }: PromotionProgress) {
      const what = table?.replaceAll("_", " ") ?? "with what changed";
      const isSame = shown === `${step} ${what}`;
      shown = `${step} ${what}`;
      if (isSame) bar.update(rows);
      else bar.start(of, rows, { step, what });
    },
    stop: () => bar.stop(),
  };
}

function report(
  promoted: Promoted | null,
  { source, target, json }: { source: Database; target: Database; json: boolean | undefined },
): void {
  if (json) {
    printJson({ movedTo: target.location, ...promoted });
    return;
  }
  if (promoted !== null) {
    const rows = Object.entries(promoted.tables).map(([table, { rows, sha256 }]) => [table, rows, sha256.slice(0, 16)]);
    printTable(["TABLE", "ROWS", "SHA-256, THE SAME ON BOTH SIDES"], rows);
    console.log(
      `\n${promoted.changed} rows changed meanwhile, and are there too. Writes waited for ${Math.round(promoted.heldMs)} ms.`,
    );
  }
  console.log(
    `Everything is in ${target.location} now. A server on ${source.location} answers with 503 from here on: stop it, and start it with DATABASE_URL set to the PostgreSQL, and the same secret. Clients wait, and stay signed in.`,
  );
}
