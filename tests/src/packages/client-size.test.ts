/** What the client costs a browser, gzipped: in all, and helper by helper. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Plugin, rolldown } from "rolldown";
import { expect, test } from "vitest";
import { bundleForBrowsers } from "../support/bundle.ts";
import { root } from "./pack.ts";

/** The gzipped bytes of a page that imports these: what it loads at once, and what it loads when it is needed. */
async function bytesOf(imports: Readonly<Record<string, string>>): Promise<{ atOnce: number; later: number }> {
  const statements = Object.entries(imports).map(([from, names]) => `export { ${names} } from "${from}";`);
  const id = join(root, "tests/page.js");
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

/** What an application on tRPC has without us: the same links, and superjson, which the server speaks. */
const trpc = {
  "@trpc/client": "createTRPCClient, httpBatchLink",
  superjson: "default",
};
const clientWith = (helpers = "") => bytesOf({ ...trpc, "@countersign/client": `createAuthClient${helpers}` });

test("the client costs at most 3 KB over tRPC's with superjson", async () => {
  const [without, client] = [await bytesOf(trpc), await clientWith()];
  const added = client.atOnce - without.atOnce;
  console.log(
    `createAuthClient: ${added} bytes gzipped over tRPC's client; ${client.later} more where it keeps tokens`,
  );
  expect(added).toBeGreaterThan(1_000);
  expect(added).toBeLessThanOrEqual(3_000);
  // Loaded by pages of other sites than the server's, and by what is no page.
  expect(client.later).toBeLessThanOrEqual(2_000);
});

test("the hooks cost at most 1 KB more", async () => {
  const hooks = "AuthProvider, SignedIn, SignedOut, useAuth, useSession";
  const client = { ...trpc, "@countersign/client": "createAuthClient" };
  const added =
    (await bytesOf({ ...client, "@countersign/client/react": hooks })).atOnce - (await bytesOf(client)).atOnce;
  console.log(`React: ${added} bytes gzipped`);
  expect(added).toBeGreaterThan(200);
  expect(added).toBeLessThanOrEqual(1_000);
});

test.for([
  ["failureOf", 100],
  // With the names of all reasons, by which a refusal is told from another server's error.
  ["fieldErrorsOf", 400],
  ["isAuthError", 400],
  ["createRequestClient", 400],
] as const)("%s costs at most %i bytes, where it is used", async ([helper, limit]) => {
  const added = (await clientWith(`, ${helper}`)).atOnce - (await clientWith()).atOnce;
  expect(added).toBeLessThan(limit);
});

test("no Node built-in and no zod is in what a page loads", async () => {
  const { code, imports } = await bundleForBrowsers(new URL("./whole-client.ts", import.meta.url), "esm");
  // What cannot be bundled is imported by its name, and not from beside.
  expect(imports.filter((name) => !/^(?:\.\/)?(?:tabs|token-keeper)-[\w-]+\.js$/.test(name))).toEqual([]);
  expect(code).not.toMatch(/\bZod|\brequire\(/);
});
