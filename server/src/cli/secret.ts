import type { Command } from "commander";
import { addHelp } from "./help.ts";

export function addSecretCommand(program: Command): void {
  const command = program
    .command("secret")
    .description("Print a new master secret, for COUNTERSIGN_SECRET. It is kept nowhere.")
    .action(async () => {
      const { newSecret } = await import("../master-secret.ts");
      console.log(newSecret());
    });
  addHelp(command, ["countersign secret", "COUNTERSIGN_SECRET=$(countersign secret) countersign serve"]);
}
