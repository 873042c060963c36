/** What a browser loads of the pages, as it is built and sent. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

const folder = new URL("../../../web/dist/client/", import.meta.url);

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
}

const manifest: Readonly<Record<string, Chunk>> = JSON.parse(
  readFileSync(fileURLToPath(new URL("manifest.json", folder)), "utf8"),
);

/** What is loaded at once by an entry, in a language. */
function filesOf(...names: readonly string[]): readonly string[] {
  const found = new Set<string>();
  const add = (name: string) => {
    const { file, imports = [] } = manifest[name] ?? expect.fail(`the pages have no ${name}`);
    if (found.has(file)) return;
    found.add(file);
    for (const imported of imports) add(imported);
  };
  for (const name of names) add(name);
  return [...found];
}

function gzipped(files: readonly string[], extension: string): number {
  const sizes = files
    .filter((file) => file.endsWith(extension))
    .map((file) => gzipSync(readFileSync(new URL(file, folder))).length);
  return sizes.reduce((sum, size) => sum + size, 0);
}

it.each(["en", "de"])(
  "the pages before the sign-in load at most 100 kB of script and 12 kB of style: %s",
  (language) => {
    const files = filesOf("src/auth/hydrate.tsx", `locales/${language}/auth.po`, "style.css");
    const [script, style] = [gzipped(files, ".js"), gzipped(files, ".css")];
    console.log(`auth, ${language}: ${script} bytes of script, ${style} of style, gzipped`);
    expect(script).toBeLessThanOrEqual(100_000);
    expect(style).toBeLessThanOrEqual(12_000);
  },
);

it("the pages behind it load what every page has, and the rest by route", () => {
  const files = filesOf("src/app/start.tsx", "locales/en/app.po");
  const script = gzipped(files, ".js");
  console.log(`app: ${script} bytes of script, gzipped`);
  expect(script).toBeLessThanOrEqual(190_000);
  const lazy = Object.keys(manifest).filter((name) => /^src\/app\/(admin|developer|account)\/.*\.tsx$/.test(name));
  expect(lazy).toEqual(
    expect.arrayContaining([
      "src/app/admin/accounts.tsx",
      "src/app/developer/developer.tsx",
      "src/app/account/password.tsx",
    ]),
  );
  for (const name of lazy) expect(files).not.toContain(manifest[name]?.file);
});
