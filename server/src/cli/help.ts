import type { Command } from "commander";

/** Ends a command's `--help` with examples and the exit codes. */
export function addHelp(command: Command, examples: readonly string[], failures = "refused, or failed"): void {
  const lines = examples.map((example) => `  ${example}`).join("\n");
  const codes = `  0  done\n  1  ${failures}\n  2  used wrongly, or a mistake in the environment`;
  command.addHelpText("after", `\nExamples:\n${lines}\n\nExit codes:\n${codes}`);
}
