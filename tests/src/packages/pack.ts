import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "./run-command.ts";

export const root = join(import.meta.dirname, "../../..");

/** The packages that we publish, by folder. */
export const folders = ["shared", "client", "server"] as const;
export type Folder = (typeof folders)[number];

/** Those, and the pages, which only our server reads. */
const packed = [...folders, "web"] as const;
export type Tarballs = Readonly<Record<(typeof packed)[number], string>>;

/** What is read of a packed package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Packs the packages as they would be published, and answers the tarballs. */
export async function packAll(destination: string): Promise<Tarballs> {
  await mkdir(destination, { recursive: true });
  const filters = packed.flatMap((folder) => ["--filter", `./${folder}`]);
  await succeed("npx", ["--yes", "pnpm@12", ...filters, "pack", "--pack-destination", destination], root);
  const tarballs = await readdir(destination);
  return {
    shared: tarballOf("shared"),
    client: tarballOf("client"),
    server: tarballOf("server"),
    web: tarballOf("web"),
  };

  function tarballOf(folder: keyof Tarballs): string {
    const tarball = tarballs.find((name) => name.startsWith(`countersign-${folder}-`));
    if (tarball === undefined) throw new Error(`pnpm pack made no tarball of ${folder}`);
    return join(destination, tarball);
  }
}

/** Installs packages into a new folder as a stranger would: with npm, outside of every workspace. */
export async function installInto(folder: string, packages: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const quietly = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  await succeed("npm", ["install", "--prefix", folder, ...quietly, ...packages], folder);
}

/** A package as this workspace has it installed, to be installed elsewhere in the same version: `zod@4.6.7`. */
export async function sameVersion(name: string, from = "tests"): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, from, "node_modules", name, "package.json"), "utf8"));
  return `${name}@${version}`;
}

async function succeed(file: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, output } = await runCommand(file, args, cwd);
  if (code !== 0) throw new Error(`${file} ${args.join(" ")} failed:\n${output}`);
}
