import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { AuthError } from "@countersign/shared";
import type { Command } from "commander";
import { z } from "zod";
import type { Db } from "../deps.ts";
import type { TransferredRow, TransferredTable } from "../store/transfer.ts";
import { UsageError } from "./errors.ts";
import { addHelp } from "./help.ts";
import { openExisting, openNew } from "./open-file.ts";
import { printJson } from "./output.ts";
import { type AuthOption, authOption, databaseOf, requireDatabase } from "./with-auth.ts";

interface Options extends AuthOption {
  readonly json?: boolean;
}

const header = { format: "countersign", version: 1 } as const;
const batchSize = 200;

export function addTransferCommands(program: Command): void {
  const exporting = program
    .command("export")
    .description(
      "Write everything in the database as JSON Lines: accounts, sessions, keys (sealed), limits and the audit.",
    )
    .argument("<file>", "a new file, or - for standard output")
    .option(...authOption)
    .option("--json", "print JSON")
    .action(exportAll);
  const importing = program
    .command("import")
    .description(
      "Add what `countersign export` wrote to a database, of whichever kind. What is there already is left alone, so it can be run again.",
    )
    .argument("<file>", "a file of JSON Lines, or - for standard input")
    .option(...authOption)
    .option("--json", "print JSON")
    .action(importAll);
  addHelp(exporting, ["countersign export everything.jsonl", "countersign export - | gzip > everything.jsonl.gz"]);
  addHelp(importing, [
    "DATABASE_URL=postgres://user:password@host/name countersign import everything.jsonl",
    "gunzip -c everything.jsonl.gz | countersign import -",
  ]);
}

async function exportAll(file: string, { json, ...where }: Options): Promise<void> {
  const { readRows, transferred } = await import("../store/transfer.ts");
  const database = await databaseOf(where);
  requireDatabase(database);
  await using db = await database.open();
  // Readable by its owner alone: it has password hashes, and keys that the secret opens.
  const output = file === "-" ? process.stdout : (await openNew(file)).createWriteStream();
  const write = async (line: object) => {
    if (!output.write(`${JSON.stringify(line)}\n`)) await once(output, "drain");
  };
  const counts: Record<string, number> = {};
  await write(header);
  for (const [table] of transferred) {
    counts[table] = 0;
    for await (const row of readRows(db, table)) {
      await write({ table, row });
      counts[table] = (counts[table] ?? 0) + 1;
      tellProgress(table, counts[table] ?? 0);
    }
  }
  if (output !== process.stdout) await new Promise<void>((resolve) => output.end(resolve));
  report(counts, { json, stream: file === "-" ? process.stderr : process.stdout, what: "written" });
}

async function importAll(file: string, { json, ...where }: Options): Promise<void> {
  const { migrate } = await import("../store/migrate.ts");
  const { realEffects } = await import("../create-auth.ts");
  const database = await databaseOf(where);
  await using db = await database.open();
  await migrate(db, { now: realEffects.now });
  const counts: Record<string, number> = {};
  for await (const { table, rows, lines } of batchesIn(file)) {
    const added = await write(db, table, rows).catch((error: unknown) => {
      throw refusedRow(error, table, lines);
    });
    counts[table] = (counts[table] ?? 0) + added;
    tellProgress(table, counts[table] ?? 0);
  }
  report(counts, { json, stream: process.stdout, what: "added" });
}

/** Never what the database says: it may quote the row, and so a password's hash. */
function refusedRow(error: unknown, table: string, [first, last]: readonly [number, number]): unknown {
  if (error instanceof AuthError) return error;
  return new UsageError(
    `Of the lines ${first} to ${last} (${table.replaceAll("_", " ")}), the database does not take one: a value is missing, or of another form. What came before them was added; mend it, and run the command again.`,
  );
}

async function write(db: Db, table: TransferredTable, rows: readonly TransferredRow[]): Promise<number> {
  const { writeRows } = await import("../store/transfer.ts");
  return writeRows(db, table, rows);
}

const Cell = z.union([z.string(), z.number(), z.null(), z.strictObject({ base64: z.base64() })]);

interface Batch {
  readonly table: TransferredTable;
  readonly rows: TransferredRow[];
  /** The first and the last. */
  lines: readonly [number, number];
}

/** Rows of one table, in batches. @throws {UsageError} naming the line that is none of an export. */
async function* batchesIn(file: string): AsyncGenerator<Batch> {
  const { transferred } = await import("../store/transfer.ts");
  const Line = z.strictObject({
    table: z.enum(transferred.map(([table]) => table)),
    row: z.record(z.string().regex(/^\w+$/), Cell),
  });
  const input = file === "-" ? process.stdin : (await openExisting(file)).createReadStream();
  let batch: Batch | null = null;
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    const parsed = parse(
      number === 1
        ? z.strictObject({ format: z.literal(header.format), version: z.literal(header.version) }).transform(() => null)
        : Line,
      line,
      number,
    );
    if (parsed === null) continue;
    const { table, row } = parsed;
    if (batch !== null && (batch.table !== table || batch.rows.length === batchSize)) {
      yield batch;
      batch = null;
    }
    batch ??= { table, rows: [], lines: [number, number] };
    batch.rows.push(row);
    batch.lines = [batch.lines[0], number];
  }
  if (number === 0) throw new UsageError("The file is empty. It has to be one that countersign export wrote.");
  if (batch !== null) yield batch;
}

/** Never the line itself: it may hold a password's hash. */
function parse<T>(schema: z.ZodType<T>, line: string, number: number): T {
  try {
    return schema.parse(JSON.parse(line));
  } catch {
    throw new UsageError(
      `Line ${number} is none that this version of countersign export writes. What came before it was added; mend it, and run the command again.`,
    );
  }
}

function tellProgress(table: string, count: number): void {
  if (process.stderr.isTTY && count % batchSize === 0) process.stderr.write(`\r\u001B[K${table}: ${count} …`);
}

function report(
  counts: Readonly<Record<string, number>>,
  { json, stream, what }: { json: boolean | undefined; stream: NodeJS.WriteStream; what: string },
): void {
  if (process.stderr.isTTY) process.stderr.write("\r\u001B[K");
  if (json && stream === process.stdout) {
    printJson(counts);
    return;
  }
  const all = Object.entries(counts).map(([table, count]) => `${count} ${table.replaceAll("_", " ")}`);
  stream.write(`${all.join(", ")} ${what}.\n`);
}
