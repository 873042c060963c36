import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { defineConfig, type Rolldown, type UserConfig } from "tsdown";

export default defineConfig([
  packageConfig("shared"),
  packageConfig("client"),
  // The command carries what it imports: one file loads in a third of the time that its packages take one by one.
  packageConfig("server", {
    platform: "node",
    entry: { countersign: "src/cli/start.ts" },
    outDir: "bin",
    dts: false,
    outputOptions: { codeSplitting: { groups: [{ name: chunkOfCommand, minShareCount: 2 }] } },
    deps: {
      alwaysBundle: [/./],
      neverBundle: [/^node:/, /^@countersign\/web/, "better-sqlite3", "pg", "@node-rs/argon2", "@node-rs/bcrypt"],
    },
    // Our other packages from their source: what they build to is being written meanwhile.
    inputOptions: {
      // What the command does is what its import does, which the package says of no module.
      treeshake: { moduleSideEffects: [{ test: /\/cli\/main\.ts$/, sideEffects: true }] },
      resolve: { conditionNames: ["@countersign/source", "node", "import", "default"] },
    },
  }),
  packageConfig("server", {
    platform: "node",
    // Swagger UI's files travel in our package, so that nobody who installs it also installs swagger-ui-dist's telemetry.
    copy: {
      from: `node_modules/swagger-ui-dist/{${[
        "LICENSE",
        "NOTICE",
        "favicon-32x32.png",
        "swagger-ui-bundle.js",
        "swagger-ui-bundle.js.LICENSE.txt",
        "swagger-ui.css",
      ].join()}}`,
      to: "dist/swagger-ui",
      // pnpm packs our own license only where it finds no other file of this name.
      rename: (name, extension) => (/^[A-Z]+$/.test(name) ? `swagger-ui.${name}.txt` : `${name}.${extension}`),
    },
  }),
]);

/**
 * What several commands share is one file, and what all of them need is another: to find and link fifty small ones is a twentieth of a
 * start, and one alone would be read by `--help`, too.
 */
function chunkOfCommand(id: string, graph: Rolldown.ChunkingContext): string {
  return isNeededByAll(id, new Set()) ? "every-command" : "shared";

  function isNeededByAll(id: string, seen: Set<string>): boolean {
    if (/\/cli\/main\.ts$/.test(id)) return true;
    if (seen.has(id)) return false;
    seen.add(id);
    return graph.getModuleInfo(id)?.importers.some((importer) => isNeededByAll(importer, seen)) ?? false;
  }
}

/**
 * The bundler keeps what declarations import also where nothing of it is left in them, and an application's type-check
 * would read all of Kysely for it. A line stays where one was, so that the maps stay true.
 */
function dropUnusedTypeImports(): Rolldown.Plugin {
  return {
    name: "drop-unused-type-imports",
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === "chunk" && chunk.fileName.endsWith(".d.ts")) chunk.code = withoutUnusedImports(chunk.code);
      }
    },
  };
}

function withoutUnusedImports(declarations: string): string {
  const named = declarations.replaceAll(/^import "[^."].*$/gm, "");
  return named.replaceAll(/^import \{ (.+) \} from "[^."].*$/gm, (line, specifiers: string) => {
    const names = specifiers.split(", ").map((specifier) => specifier.split(" as ").at(-1) ?? specifier);
    return names.some((name) => declarations.split(new RegExp(`\\b${name}\\b`)).length > 2) ? line : "";
  });
}

/** One package: ES modules and declarations, with maps into the `src` that is published beside them. */
function packageConfig(folder: string, options: UserConfig = {}): UserConfig {
  return {
    cwd: folder,
    entry: entriesOf(folder),
    tsconfig: "../tsconfig.build.json",
    target: "es2024",
    platform: "neutral",
    deps: { neverBundle: true },
    fixedExtension: false,
    hash: false,
    sourcemap: true,
    dts: { sourcemap: true },
    plugins: [dropUnusedTypeImports()],
    ...options,
  };
}

/** What package.json promises in `exports` is what gets built. */
function entriesOf(folder: string): Record<string, string> {
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const exported = Object.values<Record<string, string>>(manifest.exports).map((conditions) => [
    conditions.default,
    conditions["@countersign/source"],
  ]);
  return Object.fromEntries(exported.map(([built, source]) => [entryName(built), source]));
}

function entryName(built = ""): string {
  return relative("dist", built).replace(/\.js$/, "");
}
