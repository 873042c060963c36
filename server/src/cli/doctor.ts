import type { Command } from "commander";
import { addHelp } from "./help.ts";
import { printFinding, printJson } from "./output.ts";

export function addDoctorCommand(program: Command): void {
  const command = program
    .command("doctor")
    .description("Check the configuration, the secret, the database, the clock and the keys. Changes nothing.")
    .option("--json", "print JSON")
    .action(examine);
  addHelp(command, ["countersign doctor", "countersign doctor --json"], "there is a problem; its line says what to do");
}

async function examine({ json }: { json?: boolean }): Promise<void> {
  const { diagnose } = await import("./diagnose.ts");
  const findings = await diagnose();
  if (json) printJson(findings);
  else for (const finding of findings) printFinding(finding);
  if (findings.some(({ ok }) => !ok)) process.exitCode = 1;
}
