/** What the process prints when it listens, and nobody collects its log: where, and what to do next. */
import type { Environment } from "./environment.ts";
import { version } from "./version.ts";

/** The text for a person at a terminal. @param options.setupCode Where the first account is still to be made. */
export function welcome(
  { auth, notes }: Pick<Environment, "auth" | "notes">,
  { url, setupCode }: { readonly url: string; readonly setupCode: string | null },
): string {
  const lines = [
    `Countersign ${version} listens on ${url}`,
    "",
    `  Sign in    ${url}/sign-in`,
    `  API docs   ${url}/docs`,
    `  Database   ${auth.database.location}`,
    ...notes.map((note) => `  Note       ${note}`),
    ...(setupCode === null ? [] : firstSteps(url, { setupCode, registration: auth.registration ?? "open" })),
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

/** Where the first account is made. Behind the "#" the code is for the page alone: no browser sends it anywhere. */
export function setupAddress(url: string, setupCode: string): string {
  return `${url}/setup#code=${setupCode}`;
}

function firstSteps(
  url: string,
  { setupCode, registration }: { readonly setupCode: string; readonly registration: "open" | "closed" },
): string[] {
  const register = [
    `  curl ${url}/trpc/auth.register -H 'content-type: application/json' \\`,
    `    -d '{"json":{"username":"ada","password":"correct horse battery staple"}}'`,
  ];
  return [
    "",
    "There is no account yet. Make the first one, which is an administrator's, in a browser:",
    "",
    `  ${setupAddress(url, setupCode)}`,
    "",
    "Or make one without any rights, and sign in:",
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
