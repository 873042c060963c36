/** A disk that can be filled, and taken away from whoever writes: a tmpfs, where this user may mount one. */
import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { temporaryFolder } from "./temporary-folder.ts";

const run = promisify(execFile);

export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  file(name: string): string;
  /** Leaves not a byte. */
  fill(): void;
  /** Gives back what filled it. */
  free(): void;
  /** Nobody may have a file of it open to write. */
  makeReadOnly(): Promise<void>;
  makeWritable(): Promise<void>;
  /** The same for one file of it, while the rest may be written. */
  makeFileReadOnly(name: string): Promise<void>;
  makeFileWritable(name: string): Promise<void>;
}

/** `null` where nothing may be mounted; says so. */
export async function smallDisk(sizeKiB: number): Promise<SmallDisk | null> {
  const folder = await temporaryFolder();
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${sizeKiB}k,mode=755`, "tmpfs", folder.path]);
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    console.log(`No disk of its own for a test: a tmpfs cannot be mounted here (${String(error).split("\n")[0]}).`);
    return null;
  }
  const ballast = folder.file("ballast");
  return {
    path: folder.path,
    file: folder.file,
    fill: () => fill(ballast),
    free: () => rmSync(ballast),
    makeReadOnly: async () => void (await run("mount", ["-o", "remount,ro", folder.path])),
    makeWritable: async () => void (await run("mount", ["-o", "remount,rw", folder.path])),
    async makeFileReadOnly(name) {
      const path = folder.file(name);
      await run("mount", ["--bind", path, path]);
      await run("mount", ["-o", "remount,bind,ro", path]);
    },
    makeFileWritable: async (name) => void (await run("umount", [folder.file(name)])),
    async [Symbol.asyncDispose]() {
      await run("umount", ["--recursive", "--lazy", folder.path]);
      await folder[Symbol.asyncDispose]();
    },
  };
}

function fill(ballast: string): void {
  const block = Buffer.alloc(4_096, 1);
  try {
    for (;;) writeFileSync(ballast, block, { flag: "a" });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}
