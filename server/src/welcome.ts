/** What the process prints when it listens, and nobody collects its log: where, and what to do next. */
import { existsSync } from "node:fs";
import { basename, relative } from "node:path";
import type { Environment } from "./environment.ts";
import { version } from "./version.ts";

/** The text for a person at a terminal. */
export function welcome(
  { auth, notes }: Pick<Environment, "auth" | "notes">,
  { url, isEmpty }: { readonly url: string; readonly isEmpty: boolean },
): string {
  const lines = [
    `Countersign ${version} listens on ${url}`,
    "",
    `  API docs   ${url}/docs`,
    `  Database   ${auth.database.location}`,
    ...notes.map((note) => `  Note       ${note}`),
    ...(isEmpty ? firstSteps(url, auth.registration ?? "open") : []),
    "",
    "Ctrl-C stops it.",
    "",
  ];
  return `${lines.join("\n")}\n`;
}

/** The address that a browser on this machine can open. */
export function localUrl(url: string): string {
  return url.replace(/\/\/(?:0\.0\.0\.0|\[::\])(?=:)/, "//localhost");
}

function firstSteps(url: string, registration: "open" | "closed"): string[] {
  const register = [
    `  curl ${url}/trpc/auth.register -H 'content-type: application/json' \\`,
    `    -d '{"json":{"username":"ada","password":"correct horse battery staple"}}'`,
  ];
  return [
    "",
    "There is no account yet. Create one, and sign in:",
    "",
    ...(registration === "open" ? register : [`  ${command()} users create ada`]),
    `  curl ${url}/token -d username=ada --data-urlencode 'password=correct horse battery staple'`,
    "",
    `An administrator is made with: ${command()} users create grace --role admin`,
  ];
}

/** The Node that the workspace brings along: the machine's own may be too old. */
const pinnedNode = "node_modules/.bin/node";

/** How this program was called. */
function command(): string {
  const [, script = "countersign"] = process.argv;
  const isInstalled = /^countersign(\.\w+)?$/.test(basename(script));
  if (isInstalled) return "npx countersign";
  // While Countersign itself is developed, it runs from its source.
  const conditions = process.execArgv.filter((argument) => argument.startsWith("--conditions="));
  return [existsSync(pinnedNode) ? pinnedNode : "node", ...conditions, relative(process.cwd(), script)].join(" ");
}
