import { type FileHandle, open } from "node:fs/promises";
import { UsageError } from "./errors.ts";

/** Makes a file that only its owner may read. @throws {UsageError} where there is one already */
export async function openNew(file: string): Promise<FileHandle> {
  try {
    return await open(file, "wx", 0o600);
  } catch (error) {
    throw new UsageError(`${file} cannot be made (${codeOf(error)}). Name a new file, in a folder that is there.`);
  }
}

/** @throws {UsageError} where it cannot be read */
export async function openExisting(file: string): Promise<FileHandle> {
  try {
    return await open(file);
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${codeOf(error)}).`);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}
