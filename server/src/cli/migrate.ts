import type { Command } from "commander";
import { addHelp } from "./help.ts";
import { printJson, printTable } from "./output.ts";
import type { RehearsalOptions } from "./rehearse.ts";
import { type AuthOption, authOption, databaseOf, requireDatabase } from "./with-auth.ts";

export function addMigrateCommands(program: Command): void {
  const group = program
    .command("migrate")
    .description("Bring the database's tables up to date.")
    .option("--rehearse", "copy the database, migrate the copy, try it, print a verdict, and apply it if that is good")
    .option("--before <file>", "the countersign of the release before, to be tried on the migrated copy too")
    .option(...authOption)
    .option("--json", "print JSON")
    .action(async ({ rehearse: isRehearsal, ...options }: RehearsalOptions & { rehearse?: boolean }) => {
      if (!isRehearsal) group.help({ error: true });
      const { rehearse } = await import("./rehearse.ts");
      await rehearse(options);
    });
  const status = group
    .command("status")
    .description("List the migrations, and which are applied. Changes nothing.")
    .option(...authOption)
    .option("--json", "print JSON")
    .action(showStatus);
  const up = group
    .command("up")
    .description("Apply the migrations that are pending. Makes the database if it is missing.")
    .option(...authOption)
    .option("--json", "print JSON")
    .action(migrateUp);
  group
    .command("exercise", { hidden: true })
    .description("Try this release on a copy that a rehearsal has made. For --before.")
    .option("--json", "print JSON")
    .action(async () => {
      const { exerciseCopy } = await import("./rehearse.ts");
      await exerciseCopy();
    });
  addHelp(group, [
    "countersign migrate status",
    "countersign migrate up",
    "countersign migrate --rehearse",
    "countersign migrate --rehearse --before ../current/node_modules/@countersign/server/dist/cli/main.js",
  ]);
  addHelp(status, ["countersign migrate status", "countersign migrate status --json"]);
  addHelp(up, ["countersign migrate up"]);
}

async function showStatus({ json, ...where }: AuthOption & { json?: boolean }): Promise<void> {
  const { migrationStatus } = await import("../store/migrate.ts");
  const database = await databaseOf(where);
  requireDatabase(database);
  await using db = await database.open();
  const migrations = (await migrationStatus(db)).map(({ appliedAt, ...migration }) => ({
    ...migration,
    appliedAt: appliedAt === null ? null : new Date(appliedAt),
  }));
  if (json) return printJson(migrations);
  const rows = migrations.map(({ id, name, state, appliedAt }) => [id, name, state, appliedAt]);
  printTable(["MIGRATION", "NAME", "STATE", "APPLIED"], rows);
}

async function migrateUp({ json, ...where }: AuthOption & { json?: boolean }): Promise<void> {
  const { migrate } = await import("../store/migrate.ts");
  const { checkCatalogue } = await import("../store/catalogue.ts");
  const { realEffects } = await import("../create-auth.ts");
  const database = await databaseOf(where);
  await using db = await database.open();
  const applied = await migrate(db, {
    now: realEffects.now,
    onProgress({ id, name, state }) {
      if (!json) console.log(`${state === "applied" ? "Applied" : "Applying"} migration ${id} (${name})`);
    },
  });
  await checkCatalogue(db);
  if (json) printJson({ applied });
  else console.log(`The database ${database.location} is up to date.`);
}
