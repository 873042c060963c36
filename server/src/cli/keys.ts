import type { Command } from "commander";
import type { KeySummary } from "../engine/key-ring.ts";
import { addHelp } from "./help.ts";
import { printJson, printTable } from "./output.ts";
import { type AuthOption, authOption, commandLine, optionsOf, withAuth } from "./with-auth.ts";

export function addKeysCommands(program: Command): void {
  const group = program.command("keys").description("The keys that sign access tokens.");
  const list = group
    .command("list")
    .description("List the signing keys, the oldest first. Shows nothing secret.")
    .option(...authOption)
    .option("--json", "print JSON")
    .action(listKeys);
  const rotate = group
    .command("rotate")
    .description("Make the next signing key. It is published at once, and signs ten minutes later.")
    .option("--now", "sign with it at once; verifiers elsewhere fetch the keys again when they meet it")
    .option("--compromised", "also forget the keys before it: every access token stops being good, and clients refresh")
    .option(...authOption)
    .option("--json", "print JSON")
    .action(rotateKeys);
  const decryptionKey = group
    .command("decryption-key")
    .description("Print the key of encrypted access tokens: the decryptionKey of a verifier. It is a secret.")
    .option(...authOption)
    .action(printDecryptionKey);
  addHelp(group, ["countersign keys list", "countersign keys rotate"]);
  addHelp(decryptionKey, ["countersign keys decryption-key"]);
  addHelp(list, ["countersign keys list", "countersign keys list --json"]);
  addHelp(rotate, ["countersign keys rotate", "countersign keys rotate --compromised"]);
}

async function listKeys({ json, ...where }: AuthOption & { json?: boolean }): Promise<void> {
  const keys = await withAuth(async (deps) => deps.keys.list(), where);
  if (json) printJson(keys);
  else print(keys);
}

interface Rotation extends AuthOption {
  readonly now?: boolean;
  readonly compromised?: boolean;
  readonly json?: boolean;
}

async function rotateKeys({ now, compromised, json, ...where }: Rotation): Promise<void> {
  const { rotateKey } = await import("../flows/keys/rotate-key.ts");
  const how = { ...(now && { immediately: true }), ...(compromised && { compromised: true }) };
  const key = await withAuth((deps) => rotateKey(deps, how, commandLine), where);
  if (json) return printJson(key);
  print([key]);
  // They follow the database, and look at it once a second.
  console.log("\nServers that run have it within a second, and need no restart.");
}

async function printDecryptionKey(where: AuthOption): Promise<void> {
  const [{ resolveOptions }, { deriveKey }] = await Promise.all([
    import("../options.ts"),
    import("../crypto/sealing.ts"),
  ]);
  const [secret] = resolveOptions(await optionsOf(where)).secrets();
  console.log(Buffer.from(deriveKey(secret, "access token encryption", 32)).toString("base64url"));
}

function print(keys: readonly KeySummary[]): void {
  const rows = keys.map((key) => [key.kid, key.algorithm, key.status, key.createdAt, key.activatesAt, key.endsAt]);
  printTable(["KEY", "ALGORITHM", "STATUS", "CREATED", "SIGNS FROM", "ENDS"], rows);
}
