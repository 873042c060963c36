/** What the client costs a browser, gzipped: in all, and helper by helper. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Plugin, rolldown } from "rolldown";
import { expect, test } from "vitest";
import { root } from "./pack.ts";

/** The gzipped bytes of a page that imports these. */
async function bytesOf(imports: Readonly<Record<string, string>>): Promise<number> {
  const statements = Object.entries(imports).map(([from, names]) => `export { ${names} } from "${from}";`);
  const id = join(root, "tests/page.js");
  const page: Plugin = {
    name: "page",
    resolveId: (source) => (source === "page" ? id : null),
    load: (loaded) => (loaded === id ? statements.join("\n") : null),
  };
  const bundle = await rolldown({ input: "page", platform: "browser", plugins: [page], logLevel: "silent" });
  const { output } = await bundle.generate({ minify: true });
  return gzipSync(output.map((chunk) => ("code" in chunk ? chunk.code : "")).join("")).length;
}

const trpc = { "@trpc/client": "createTRPCClient, httpLink, httpBatchLink", superjson: "default" };
const clientWith = (helpers = "") => bytesOf({ ...trpc, "@countersign/client": `createAuthClient${helpers}` });

test("the client costs at most 3 KB over tRPC's with superjson", async () => {
  const added = (await clientWith(", failureOf, fieldErrorsOf, isAuthError")) - (await bytesOf(trpc));
  expect(added).toBeGreaterThan(1_000);
  expect(added).toBeLessThan(3_000);
});

test.for([
  ["failureOf", 100],
  ["fieldErrorsOf", 250],
] as const)("%s costs at most %i bytes, where it is used", async ([helper, limit]) => {
  expect((await clientWith(`, ${helper}`)) - (await clientWith())).toBeLessThan(limit);
});
