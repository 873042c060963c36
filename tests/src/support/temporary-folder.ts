import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that goes with its block: `await using folder = await temporaryFolder()`. */
export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "countersign-"));
  return {
    path,
    file: (name: string) => join(path, name),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
