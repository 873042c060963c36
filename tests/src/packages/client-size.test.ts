/** What the client costs a browser, gzipped: in all, and helper by helper. */
import { expect, test } from "vitest";
import { bundleForBrowsers } from "../support/bundle.ts";
import { bytesOf } from "../support/page-bytes.ts";

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
    `createAuthClient: ${added} bytes gzipped over tRPC's client; ${client.later} more where it keeps tokens and asks for step-ups`,
  );
  expect(added).toBeGreaterThan(1_000);
  expect(added).toBeLessThanOrEqual(3_000);
  // Loaded by pages of other sites than the server's, and by what is no page.
  expect(client.later).toBeLessThanOrEqual(2_400);
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
  expect(
    imports.filter((name) => !/^(?:\.\/)?(?:lock|server|tabs|step-up|token-keeper)-[\w-]+\.js$/.test(name)),
  ).toEqual([]);
  expect(code).not.toMatch(/\bZod|\brequire\(/);
});
