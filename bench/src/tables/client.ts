/** What a browser loads, and what an editor waits for. */
import { fileURLToPath } from "node:url";
import { bytesOf } from "@countersign/tests/page-bytes";
import { procedures, variants } from "../../type-check/generate.mjs";
import { compareTypes, median } from "../../type-check.mjs";
import type { Bench, Outcome } from "../bench.ts";
import { inDigits } from "../statistics.ts";

const betterAuth = fileURLToPath(new URL("../../peers/better-auth", import.meta.url));
const trpc = { "@trpc/client": "createTRPCClient, httpBatchLink", superjson: "default" };

export async function client({ isQuick }: Bench): Promise<Outcome> {
  const bare = await bytesOf(trpc);
  const ours = await bytesOf({ ...trpc, "@countersign/client": "createAuthClient" });
  const theirs = await bytesOf({ "better-auth/client": "createAuthClient" }, { from: betterAuth });
  const seen = await compareTypes(variants, isQuick ? 1 : 7);
  const count = (name: keyof typeof variants, figure: string) => median(seen[name], figure);
  const row = (title: string, name: keyof typeof variants, bytes: string) => [
    title,
    bytes,
    count(name, "Instantiations").toLocaleString("en"),
    inDigits(count(name, "Instantiations") / count("without", "Instantiations")),
    inDigits(count(name, "Total time")),
  ];
  const over = (bytes: number) => `+ ${bytes.toLocaleString("en")}`;
  return {
    ratios: [
      {
        work: "a consumer's type-check with our router, against without (instantiations)",
        measured: count("with", "Instantiations") / count("without", "Instantiations"),
        limit: 1.1,
        isLeast: false,
      },
      {
        work: "the client over @trpc/client, gzipped (bytes)",
        measured: ours.atOnce - bare.atOnce,
        limit: 3_000,
        isLeast: false,
      },
    ],
    table: {
      title: "The client",
      text: `An application of ${procedures} procedures on tRPC: without a library for sign-in, with ours, and with better-auth's beside it. Gzipped bytes that a page loads at once, over tRPC's client and superjson (${bare.atOnce.toLocaleString("en")}); and what its type-check takes, on one thread.`,
      head: ["application", "bytes", "instantiations", "against without", "type-check, s"],
      rows: [
        row("by hand", "without", over(0)),
        row("with Countersign", "with", over(ours.atOnce - bare.atOnce)),
        row("with better-auth", "better-auth", over(theirs.atOnce)),
      ],
    },
  };
}
