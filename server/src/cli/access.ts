import type { AnyTRPCRouter } from "@trpc/server";
import { type Command, Option } from "commander";
import type { AccessRow } from "../trpc/access.ts";
import { CommandError } from "./errors.ts";
import { addHelp } from "./help.ts";
import { importNamed } from "./import-named.ts";
import { printJson, printTable } from "./output.ts";

type Format = "table" | "json" | "markdown";

export function addAccessCommand(program: Command): void {
  const command = program
    .command("access")
    .description("List what each procedure of a router demands of its caller.")
    .argument("[router]", "where the router is, as in ./src/router.ts#appRouter; default: Countersign's own")
    .addOption(
      new Option("--format <format>", "how to print it").choices(["table", "json", "markdown"]).default("table"),
    )
    .action(showAccess);
  addHelp(
    command,
    [
      "countersign access",
      "countersign access ./src/router.ts#appRouter",
      "countersign access ./src/router.ts#appRouter --format markdown > docs/access.md",
    ],
    "a procedure declares nothing, not even that it is public; the message names it",
  );
}

async function showAccess(reference: string | undefined, { format }: { format: Format }): Promise<void> {
  const rows = await matrixOf(reference === undefined ? await ownRouter() : await importRouter(reference));
  if (format === "json") return printJson(rows);
  const headings = ["Procedure", "Type", "Demands"];
  const cells = rows.map((row) => [row.path, row.type, demandsOf(row)]);
  if (format === "table") return printTable(headings, cells, { none: "The router has no procedures." });
  for (const row of [headings, ["---", "---", "---"], ...cells]) console.log(`| ${row.join(" | ")} |`);
}

async function matrixOf(router: AnyTRPCRouter): Promise<AccessRow[]> {
  const { accessMatrix, loadLazyRouters } = await import("../trpc/access.ts");
  await loadLazyRouters(router);
  try {
    return accessMatrix(router);
  } catch (error) {
    // It names the procedures that declare nothing.
    throw error instanceof TypeError ? new CommandError(error.message) : error;
  }
}

async function ownRouter(): Promise<AnyTRPCRouter> {
  const { rootRouter } = await import("../trpc/routers/root.ts");
  return rootRouter;
}

function importRouter(reference: string): Promise<AnyTRPCRouter> {
  return importNamed(reference, { kind: "tRPC router", example: "./src/router.ts#appRouter", is: isRouter });
}

function isRouter(value: unknown): value is AnyTRPCRouter {
  if (typeof value !== "function" && (typeof value !== "object" || value === null)) return false;
  return "_def" in value && typeof value._def === "object" && value._def !== null && "procedures" in value._def;
}

function demandsOf({ signedIn, scopes, roles, maxAge }: AccessRow): string {
  if (!signedIn) return "public";
  const demands = [
    ...scopes.map((scope) => `scope ${scope}`),
    ...roles.map((role) => `role ${role}`),
    ...(maxAge === null ? [] : [`signed in within ${maxAge} s`]),
  ];
  return demands.length === 0 ? "signed in" : demands.join(", ");
}
