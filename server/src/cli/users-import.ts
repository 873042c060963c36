import { createInterface } from "node:readline/promises";
import { type Command, Option } from "commander";
import { z } from "zod";
import type { Deps } from "../deps.ts";
import type { ImportedAccount } from "../flows/accounts/import-accounts.ts";
import { type Source, sources } from "./foreign-accounts.ts";
import { addHelp } from "./help.ts";
import { openExisting } from "./open-file.ts";
import { printJson } from "./output.ts";
import { type AuthOption, authOption, commandLine, withAuth } from "./with-auth.ts";

interface Options extends AuthOption {
  readonly from: Source;
  readonly firebaseSignerKey?: string;
  readonly firebaseSaltSeparator: string;
  readonly firebaseRounds: string;
  readonly firebaseMemCost: string;
  readonly json?: boolean;
}

/** Accounts in one transaction. */
const batchSize = 200;
/** Of what cannot be taken, so many are told one by one. */
const mostTold = 20;

export function addImportCommand(group: Command): void {
  const command = group
    .command("import")
    .description(
      "Add accounts of another system, with their password hashes. Takes JSON Lines, an account a line; what is there already is left alone, so it can be run again.",
    )
    .argument("<file>", "a file of JSON Lines, or - for standard input")
    .addOption(new Option("--from <system>", "whose accounts they are").choices(sources).default("countersign"))
    .option("--firebase-signer-key <base64>", "of the project's password hash parameters")
    .option("--firebase-salt-separator <base64>", "the same", "Bw==")
    .option("--firebase-rounds <number>", "the same", "8")
    .option("--firebase-mem-cost <number>", "the same", "14")
    .option(...authOption)
    .option("--json", "print JSON")
    .action(importUsers);
  addHelp(command, [
    "countersign users import users.jsonl --from better-auth",
    `psql -Atc "select row_to_json(u) from auth.users u" | countersign users import - --from supabase`,
    "jq -c .users[] realm.json | countersign users import - --from keycloak",
    "jq -c .users[] users.json | countersign users import - --from firebase --firebase-signer-key $KEY",
  ]);
}

async function importUsers(file: string, { json, ...options }: Options): Promise<void> {
  const counts = { added: 0, there: 0, refused: 0 };
  const refuse = (line: number, why: string) => {
    counts.refused += 1;
    if (counts.refused <= mostTold) console.error(`Line ${line}: ${why}`);
    else if (counts.refused === mostTold + 1) console.error("More lines cannot be taken; they are counted.");
  };
  await withAuth(
    async (deps) => {
      const { importAccounts } = await import("../flows/accounts/import-accounts.ts");
      for await (const batch of batchesOf(accountsIn(file, options, { settings: deps.settings, refuse }))) {
        const added = await importAccounts(deps, batch, commandLine.caller);
        counts.added += added;
        counts.there += batch.length - added;
        if (process.stderr.isTTY) process.stderr.write(`\r${counts.added} added, ${counts.there} there already …`);
      }
    },
    { ...options, create: true },
  );
  if (process.stderr.isTTY) process.stderr.write("\r\u001B[K");
  if (counts.refused > 0) process.exitCode = 1;
  if (json) return printJson(counts);
  console.log(`${counts.added} added, ${counts.there} there already, ${counts.refused} refused.`);
}

async function* accountsIn(
  file: string,
  { from, ...firebase }: Options,
  { settings, refuse }: { settings: Deps["settings"]; refuse: (line: number, why: string) => void },
): AsyncGenerator<ImportedAccount> {
  const [{ ImportedAccount }, { checkRoles }, { readerOf }] = await Promise.all([
    import("../flows/accounts/import-accounts.ts"),
    import("../flows/accounts/check-roles.ts"),
    import("./foreign-accounts.ts"),
  ]);
  const read = readerOf(from, {
    signerKey: firebase.firebaseSignerKey,
    saltSeparator: firebase.firebaseSaltSeparator,
    rounds: Number(firebase.firebaseRounds),
    memCost: Number(firebase.firebaseMemCost),
  });
  let number = 0;
  const input = file === "-" ? process.stdin : (await openExisting(file)).createReadStream();
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (line.trim() === "") continue;
    try {
      const account = ImportedAccount.parse(read(JSON.parse(line)));
      checkRoles(settings, account.roles);
      yield account;
    } catch (error) {
      refuse(number, reasonOf(error));
    }
  }
}

/** Never the line itself: it has a password's hash. */
function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    return error.issues
      .map(({ path, message }) => `${path.join(".")}${path.length > 0 ? ": " : ""}${message}`)
      .join("; ");
  }
  return error instanceof SyntaxError
    ? "this is no JSON"
    : error instanceof Error
      ? error.message
      : "it cannot be read";
}

async function* batchesOf<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
