import type { Command } from "commander";
import { CommandError } from "./errors.ts";
import { addHelp } from "./help.ts";
import { type AuthOption, authOption, withAuth } from "./with-auth.ts";

export function addSetupCommand(program: Command): void {
  const command = program
    .command("setup")
    .description("Print the address at which a browser makes the first account, an administrator's. It is a secret.")
    .option(...authOption)
    .action(printAddress);
  addHelp(command, ["countersign setup"]);
}

async function printAddress(where: AuthOption): Promise<void> {
  const { isToBeSetUp } = await import("../flows/accounts/set-up.ts");
  const { setupAddress } = await import("../welcome.ts");
  const address = await withAuth(
    async (deps) => ((await isToBeSetUp(deps)) ? setupAddress(deps.settings.issuer, deps.setupCode) : null),
    { ...where, create: true },
  );
  if (address === null) {
    const makeOne = "an administrator is made with: countersign users create grace --role admin";
    throw new CommandError(`There are accounts already, so nobody can set this server up any more; ${makeOne}`);
  }
  console.log(address);
}
