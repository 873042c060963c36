/** What the process prints when it listens, and nobody collects its log: where, and what to do next. */
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

/** How this program's commands are called: installed as a package, or in its own repository. */
function command(): string {
  const [, script = ""] = process.argv;
  return /[\\/]node_modules[\\/]/.test(script) ? "npx countersign" : "npm run countersign --";
}
