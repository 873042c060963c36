/** What a command is told to import: a file and one of its exports, as in `./src/auth.ts#auth`. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "./errors.ts";

interface Wanted<T> {
  /** What it should be, as in `tRPC router`. */
  readonly kind: string;
  /** How it is named, as in `./src/router.ts#appRouter`. */
  readonly example: string;
  readonly is: (value: unknown) => value is T;
}

/** Imports the export that a reference names. @throws {UsageError} saying what is wrong with the reference, or the file */
export async function importNamed<T>(reference: string, { kind, example, is }: Wanted<T>): Promise<T> {
  const [path = "", name = ""] = reference.split("#");
  if (path === "" || name === "") {
    throw new UsageError(`Name the ${kind} by its file and its export, as in ${example}`);
  }
  const found = await importFile(path);
  if (!Object.hasOwn(found, name)) throw new UsageError(`${path} exports nothing by the name of "${name}".`);
  const value = found[name];
  if (!is(value)) throw new UsageError(`"${name}" of ${path} is no ${kind}.`);
  return value;
}

async function importFile(path: string): Promise<Record<string, unknown>> {
  const file = resolve(path);
  if (!existsSync(file)) {
    throw new UsageError(
      `There is no file at ${file}. A path is seen from the folder in which the command runs, and has its ending: .ts or .js.`,
    );
  }
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `${path} cannot be imported: ${said}\n` +
        "If it is TypeScript that Node does not run by itself, build it first, or call countersign with a loader.",
    );
  }
}
