import type { Command } from "commander";
import { addHelp } from "./help.ts";
import { printJson } from "./output.ts";
import { type AuthOption, authOption, withAuth } from "./with-auth.ts";

export function addSecretCommand(program: Command): void {
  const command = program
    .command("secret")
    .description("Print a new master secret, for COUNTERSIGN_SECRET. It is kept nowhere.")
    .action(async () => {
      const { newSecret } = await import("../master-secret.ts");
      console.log(newSecret());
    });
  const rotate = command
    .command("rotate")
    .description("Seal the signing keys anew with COUNTERSIGN_SECRET, opening them with COUNTERSIGN_ACCEPTED_SECRETS.")
    .option(...authOption)
    .option("--json", "print JSON")
    .action(rotateSecret);
  addHelp(command, ["countersign secret", "COUNTERSIGN_SECRET=$(countersign secret) countersign serve"]);
  addHelp(rotate, ["COUNTERSIGN_SECRET=$NEW COUNTERSIGN_ACCEPTED_SECRETS=$OLD countersign secret rotate"]);
}

async function rotateSecret({ json, ...where }: AuthOption & { json?: boolean }): Promise<void> {
  const resealed = await withAuth(({ keys }) => keys.reseal(), where);
  if (json) return printJson({ resealed });
  const keys = resealed === 1 ? "1 signing key was" : `${resealed} signing keys were`;
  console.log(resealed === 0 ? "Every signing key is sealed with this secret." : `${keys} sealed anew.`);
  console.log(
    "\nLeave the former secret in COUNTERSIGN_ACCEPTED_SECRETS until its sessions have ended: refresh tokens are replaced " +
      "when they are used, and a session cookie is good for as long as its session.",
  );
}
