/** The pages as `web` has built them: what renders their documents, and what those load. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type {
  Assets,
  AuthPage,
  Language,
  renderAppPage,
  renderAuthPage,
  renderProblemPage,
} from "@countersign/web/render";
import { z } from "zod";

/** Under which address everything is that pages load. */
export const pagesPath = "/pages";

/** The pages before the sign-in, and those behind it. */
export type Entry = "auth" | "app";

type Purpose = NonNullable<AuthPage["purpose"]>;

export interface BuiltPages {
  readonly renderAuthPage: typeof renderAuthPage;
  readonly renderAppPage: typeof renderAppPage;
  readonly renderProblemPage: typeof renderProblemPage;
  /** The folder of what browsers load. */
  readonly folder: string;
  readonly languages: readonly [Language, ...Language[]];
  /** What a confirmation can be asked for. */
  readonly purposes: readonly Purpose[];
  assetsOf(entry: Entry, language: Language): Assets;
}

const scripts: Readonly<Record<Entry, string>> = { auth: "src/auth/hydrate.tsx", app: "src/app/start.tsx" };

const Chunk = z.object({
  file: z.string(),
  imports: z.array(z.string()).default([]),
});
type Chunk = z.infer<typeof Chunk>;
const Manifest = z.record(z.string(), Chunk);

/** Reads them. @throws {Error} when they were not built. */
export async function loadPages({ hasTheme }: { readonly hasTheme: boolean }): Promise<BuiltPages> {
  const manifestFile = createRequire(import.meta.url).resolve("@countersign/web/manifest.json");
  const manifest = Manifest.parse(JSON.parse(await readFile(manifestFile, "utf8")));
  const { renderAuthPage, renderAppPage, renderProblemPage, languageNames, purposes } = await import(
    "@countersign/web/render"
  );
  const [first, ...others] = languageNames;
  if (first === undefined) throw new Error("the pages have no language");

  function chunkOf(name: string): Chunk {
    const found = manifest[name];
    if (found === undefined) throw new Error(`the pages have no ${name}`);
    return found;
  }

  /** A chunk and all that it imports at once. */
  function withImports(name: string, found = new Map<string, Chunk>()): Map<string, Chunk> {
    if (found.has(name)) return found;
    found.set(name, chunkOf(name));
    for (const imported of chunkOf(name).imports) withImports(imported, found);
    return found;
  }

  const addressOf = (file: string) => `${pagesPath}/${file}`;
  return {
    folder: dirname(manifestFile),
    renderAuthPage,
    renderAppPage,
    renderProblemPage,
    languages: [first, ...others],
    purposes,
    assetsOf(entry, language) {
      const [, ...imports] = withImports(scripts[entry]).values();
      const catalog = chunkOf(`locales/${language}/${entry}.po`);
      return {
        script: addressOf(chunkOf(scripts[entry]).file),
        preloads: [...imports, catalog].map(({ file }) => addressOf(file)),
        // The theme last, as it changes what the others say.
        styles: [chunkOf("style.css").file, ...(hasTheme ? ["theme.css"] : [])].map(addressOf),
        icon: addressOf("icon.svg"),
      };
    },
  };
}
