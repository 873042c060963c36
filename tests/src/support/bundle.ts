/** Bundles a file for runtimes that have no Node.js in them. */
import { fileURLToPath } from "node:url";
import { type RolldownOutput, rolldown } from "rolldown";

export interface Bundle {
  readonly code: string;
  /** What is imported from outside of the bundle. */
  readonly imports: readonly string[];
  /** All files by their names, for what is loaded later too: the first is `code`. */
  readonly files: Readonly<Record<string, string>>;
}

export async function bundleForBrowsers(
  file: URL,
  format: "esm" | "iife",
  { minify = false }: { minify?: boolean } = {},
): Promise<Bundle> {
  const bundle = await rolldown({
    input: fileURLToPath(file),
    platform: "browser",
    resolve: { conditionNames: ["@countersign/source", "import", "browser", "default"] },
    // What cannot be bundled must be seen, not passed over as external.
    onLog(level, log) {
      if (level === "warn" && log.code !== "MODULE_LEVEL_DIRECTIVE") throw new Error(log.message);
    },
  });
  try {
    const { output }: RolldownOutput = await bundle.generate({ format, minify, name: "scenario" });
    const [chunk] = output;
    const chunks = output.filter((file) => file.type === "chunk");
    return {
      code: chunk.code,
      imports: [...chunk.imports, ...chunk.dynamicImports],
      files: Object.fromEntries(chunks.map((file) => [file.fileName, file.code])),
    };
  } finally {
    await bundle.close();
  }
}
