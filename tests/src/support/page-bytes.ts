/** What a page costs a browser to load. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type Plugin, rolldown } from "rolldown";

const here = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The gzipped bytes of a page that imports these: what it loads at once, and what it loads when it is needed.
 *
 * @param options.from The folder of the page, whose packages it finds. Default: the tests'.
 */
export async function bytesOf(
  imports: Readonly<Record<string, string>>,
  { from = here }: { readonly from?: string } = {},
): Promise<{ atOnce: number; later: number }> {
  const statements = Object.entries(imports).map(([from, names]) => `export { ${names} } from "${from}";`);
  const id = join(from, "page.js");
  const page: Plugin = {
    name: "page",
    resolveId: (source) => (source === "page" ? id : null),
    load: (loaded) => (loaded === id ? statements.join("\n") : null),
  };
  const bundle = await rolldown({
    input: "page",
    platform: "browser",
    external: ["react"],
    plugins: [page],
    logLevel: "silent",
  });
  const { output } = await bundle.generate({ minify: true });
  const chunks = output.filter((chunk) => chunk.type === "chunk");
  const atOnce = new Set(
    chunks.filter(({ isEntry }) => isEntry).flatMap(({ fileName, imports }) => [fileName, ...imports]),
  );
  const gzipped = (isWanted: (fileName: string) => boolean) =>
    gzipSync(chunks.flatMap(({ fileName, code }) => (isWanted(fileName) ? code : [])).join("\n")).length;
  return { atOnce: gzipped((fileName) => atOnce.has(fileName)), later: gzipped((fileName) => !atOnce.has(fileName)) };
}
