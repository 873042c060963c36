/** `countersign`: the commands of an operator. What is heavy is imported by the command that needs it. */
import { Command, CommanderError } from "commander";
import { version } from "../version.ts";
import { addAccessCommand } from "./access.ts";
import { addDoctorCommand } from "./doctor.ts";
import { CommandError, UsageError } from "./errors.ts";
import { addHelp } from "./help.ts";
import { addKeysCommands } from "./keys.ts";
import { addMigrateCommands } from "./migrate.ts";
import { addPromoteCommand } from "./promote.ts";
import { addSecretCommand } from "./secret.ts";
import { addServeCommand } from "./serve.ts";
import { addSessionsCommands } from "./sessions.ts";
import { addSetupCommand } from "./setup.ts";
import { addTransferCommands } from "./transfer.ts";
import { addUsersCommands } from "./users.ts";

const program = new Command("countersign")
  .description("Sign-in for teams who build on tRPC.")
  .version(version)
  .configureHelp({ sortSubcommands: false })
  // An option is of the command that it comes after: `migrate` and `migrate status` both have a --json.
  .enablePositionalOptions()
  .exitOverride();

addServeCommand(program);
addMigrateCommands(program);
addTransferCommands(program);
addPromoteCommand(program);
addSetupCommand(program);
addUsersCommands(program);
addSessionsCommands(program);
addKeysCommands(program);
addSecretCommand(program);
addAccessCommand(program);
addDoctorCommand(program);
addHelp(program, ["countersign serve", "countersign users create ada --role admin", "countersign doctor"]);

// Whoever reads us may stop early: `countersign users list | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = await report(error);
}
// A module that `access` imported may hold the process open.
process.stdout.write("", () => process.exit());

/** Says what went wrong, and returns the exit code. */
async function report(error: unknown): Promise<number> {
  // Commander has printed its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Error && error.name === "ExitPromptError") return 130;
  if (error instanceof UsageError || error instanceof CommandError) {
    console.error(error.message);
    return error instanceof UsageError ? 2 : 1;
  }
  const { describeError, exitCodeOf, sentenceOf } = await import("../failure.ts");
  const sentence = sentenceOf(error);
  if (sentence !== null) console.error(sentence);
  // Not the error itself: what a driver says may have a row in it.
  else console.error("This should not happen, and is a mistake in Countersign:", describeError(error));
  return exitCodeOf(error);
}
