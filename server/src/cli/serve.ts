import type { Command } from "commander";
import { addHelp } from "./help.ts";

export function addServeCommand(program: Command): void {
  const command = program
    .command("serve")
    .description("Serve. Migrates the database first, and stops cleanly on SIGTERM and Ctrl-C.")
    .action(async () => {
      const { runServer } = await import("../main.ts");
      await runServer();
    });
  addHelp(command, [
    "countersign serve",
    "PORT=8080 HOST=0.0.0.0 countersign serve",
    "NODE_ENV=production COUNTERSIGN_SECRET=… COUNTERSIGN_ISSUER=https://auth.example.com countersign serve",
  ]);
}
