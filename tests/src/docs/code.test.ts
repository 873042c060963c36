/** Every piece of TypeScript in the READMEs and in the docstrings compiles. */
import { execFile } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { codeBlocks, read, root } from "./markdown.ts";

/** What examples take as given. */
const prelude = `
import { initTRPC } from "@trpc/server";
import { z } from "zod";
import { createAuthClient, createRequestClient, failureOf, fieldErrorsOf, isAuthError, type ReasonsOf, type UndeclaredFailure } from "@countersign/client";
import { subscriptions } from "@countersign/client/subscriptions";
import { accessMatrix, AuthError, type AuthContext, createApp, createAuth, errorFormatter, raises, readEnvironment, transformer } from "@countersign/server";
import { postgres } from "@countersign/server/postgres";
import { sqlite } from "@countersign/server/sqlite";
import { createTestAuth } from "@countersign/server/testing";
import { createVerifier } from "@countersign/server/verifier";
import { expect } from "vitest";
import { type AppRouter, appRouter } from "./router.ts";
import { auth as serverAuth } from "./auth.ts";
const t = initTRPC.context<AuthContext>().create();
declare const request: Request;
declare const secret: string;
declare const issuer: string;
declare const url: string;
declare const username: string;
declare const password: string;
declare const error: unknown;
`;

it("code in the READMEs and in docstrings compiles", async () => {
  // Below the example, so that imports resolve as a user's would.
  const folder = mkdtempSync(`${root}examples/notes/node_modules/.docs-`);
  try {
    cpSync(`${root}examples/notes/src`, folder, { recursive: true, filter: (path) => !path.includes(".test.") });
    writeFileSync(`${folder}/users.ts`, usersModule);
    writeFileSync(
      `${folder}/ask-for-password.ts`,
      "export declare function askForPassword(username: string): Promise<string>;",
    );
    writeFileSync(`${folder}/secure-store.d.ts`, secureStore);
    const pages = globSync("client/docs/*.md", { cwd: root });
    const blocks = ["README.md", "server/README.md", "client/README.md", "shared/README.md", ...pages]
      .flatMap((file) => codeBlocks(read(file)))
      .filter(({ language, note }) => language === "ts" && note === "");
    for (const [index, { code }] of blocks.entries()) writeFileSync(`${folder}/readme-${index}.ts`, code);
    for (const [name, code] of Object.entries(await snippetsOfThePage())) writeFileSync(`${folder}/${name}.ts`, code);
    const examples = docstringExamples();
    for (const [index, { code }] of examples.entries()) writeFileSync(`${folder}/example-${index}.ts`, asModule(code));
    expect([blocks.length, examples.length]).toEqual([
      expect.toSatisfy((n) => n >= 7),
      expect.toSatisfy((n) => n >= 8),
    ]);
    writeFileSync(
      `${folder}/tsconfig.json`,
      JSON.stringify({
        extends: "../../../../tsconfig.json",
        compilerOptions: {
          noUnusedLocals: false,
          noImplicitReturns: false,
          // The example does not depend on it by itself.
          paths: {
            eventsource: [`${root}tests/node_modules/eventsource/dist/index.d.ts`],
            "@countersign/shared": [`${root}shared/src/index.ts`],
            "@countersign/shared/schemas": [`${root}shared/src/schemas.ts`],
          },
        },
        include: [],
        files: readdirSync(folder).filter((file) => file.endsWith(".ts")),
      }),
    );

    const { stdout } = await promisify(execFile)(`${root}node_modules/.bin/tsc`, [
      "--pretty",
      "false",
      "-p",
      folder,
    ]).catch((error) => error);
    expect(stdout).toBe("");
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);

/** What the developer's page shows, of a server with values that have to be written with care. */
async function snippetsOfThePage(): Promise<Record<string, string>> {
  const { clientCode, testCode, verifierCode } = await import(`${root}web/src/app/developer/snippet-code.ts`);
  const facts = { origin: "http://localhost:3000", issuer: 'http://x/"', audience: "a\\b", username: "o'\"grace" };
  return { "page-client": clientCode(facts), "page-test": testCode(facts), "page-verifier": verifierCode(facts) };
}

/** What is used of Expo's module, which is no dependency of ours. */
const secureStore = `
declare module "expo-secure-store" {
  export function getItemAsync(name: string): Promise<string | null>;
  export function setItemAsync(name: string, text: string): Promise<void>;
  export function deleteItemAsync(name: string): Promise<void>;
}
`;

const usersModule = `
import type { ApplicationAccount } from "@countersign/server";
export const users = {
  verify: async (username: string, _password: string): Promise<ApplicationAccount | null> => ({ id: "1", username }),
  find: async (id: string): Promise<ApplicationAccount | null> => ({ id, username: "alice" }),
};
`;

function docstringExamples(): { file: string; code: string }[] {
  const files = globSync("{shared,client,server}/src/**/*.ts", { cwd: root }).filter(
    (file) => !file.includes(".test."),
  );
  return files.flatMap((file) => {
    const source = readFileSync(`${root}${file}`, "utf8");
    const docstrings = source.match(/\/\*\*[\s\S]*?\*\//g) ?? [];
    return docstrings.flatMap((docstring) =>
      codeBlocks(docstring.replaceAll(/^\s*\* ?/gm, "")).map(({ code }) => ({ file, code })),
    );
  });
}

/** An example is the inside of some function; what it imports goes to the top, in place of what the prelude has. */
function asModule(code: string): string {
  const lines = code.split("\n");
  const body = lines
    .filter((line) => !line.startsWith("import "))
    .map((line) => line.replace(/^export default /, "void ").replace(/^export /, ""));
  const declaresAuth = body.some((line) => line.startsWith("const auth"));
  const given = declaresAuth
    ? ""
    : code.includes("auth.login") || code.includes("auth.trpc")
      ? "const auth = createAuthClient<AppRouter>({ url: '' });"
      : "const auth = serverAuth;";
  return `${prelude}\nexport async function example() {\n${given}\n${body.join("\n")}\n}\n`;
}
