import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "../../..");
const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
const rulesAndManifests = [
  "biome.json",
  "scripts/lint",
  "package.json",
  "shared/package.json",
  "client/package.json",
  "server/package.json",
  "tests/package.json",
  "examples/notes/package.json",
];

/** The rules that refused a file, by the file's path. A file that nothing refused is absent. */
export type Refusals = ReadonlyMap<string, ReadonlySet<string>>;

/** Lints files that exist only in a temporary copy of the workspace's rules, so that nothing is planted in the source itself. */
export async function lintPlanted(files: ReadonlyMap<string, string>): Promise<Refusals> {
  // macOS links its temporary folder; Biome compares real paths.
  const folder = await realpath(await mkdtemp(join(tmpdir(), "countersign-lint-")));
  try {
    for (const path of rulesAndManifests) await cp(join(root, path), join(folder, path), { recursive: true });
    for (const [path, content] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    return refusals(await runBiome(folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Report {
  readonly diagnostics: readonly { readonly category: string; readonly location: { readonly path: string } }[];
}

function runBiome(folder: string): Promise<Report> {
  const options = ["lint", "--vcs-enabled=false", "--max-diagnostics=none", "--reporter=json", "."];
  return new Promise((resolve, reject) => {
    // Biome exits with 1 when it finds something, which is what we came for.
    execFile(process.execPath, [biome, ...options], { cwd: folder }, (error, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout));
      } catch {
        reject(new Error(`biome gave no report: ${stderr}`, { cause: error }));
      }
    });
  });
}

function refusals({ diagnostics }: Report): Refusals {
  const found = new Map<string, Set<string>>();
  for (const { category, location } of diagnostics) {
    const rules = found.get(location.path) ?? new Set();
    found.set(location.path, rules.add(category.split("/").at(-1) ?? category));
  }
  return found;
}
