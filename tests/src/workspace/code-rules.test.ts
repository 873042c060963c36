import { beforeAll, expect, test } from "vitest";
import { lintPlanted, type Refusals } from "./lint-planted.ts";

interface Row {
  readonly path: string;
  readonly code: string;
  /** The rule that has to refuse it, or `null` where the same code is at its place. */
  readonly rule: string | null;
}

/** The habits that biome holds: each one broken once, and once at the place where it is allowed. */
const rows: readonly Row[] = [
  { path: "server/src/flows/reads-the-clock.ts", code: "export const at = () => Date.now();", rule: "plugin" },
  { path: "server/src/flows/makes-a-date.ts", code: "export const at = () => new Date();", rule: "plugin" },
  { path: "server/src/engine/rolls-dice.ts", code: "export const chance = () => Math.random();", rule: "plugin" },
  { path: "server/src/flows/converts-a-date.ts", code: "export const at = (ms: number) => new Date(ms);", rule: null },
  { path: "server/src/create-auth.ts", code: "export const now = () => Date.now() + Math.random();", rule: null },
  { path: "server/src/options.ts", code: "export const port = process.env;", rule: "noProcessEnv" },
  { path: "client/src/options.ts", code: "export const port = process.env;", rule: "noProcessEnv" },
  { path: "server/src/environment.ts", code: "export const port = process.env;", rule: null },
  { path: "server/src/flows/talks.ts", code: 'console.log("hello");', rule: "noConsole" },
  { path: "server/src/cli/talks.ts", code: 'console.log("hello");', rule: null },
  { path: "server/src/default-export.ts", code: "export default 1;", rule: "noDefaultExport" },
  { path: "vitest.config.ts", code: "export default 1;", rule: null },
  { path: "server/src/any.ts", code: "export const anything = (value: any) => value;", rule: "noExplicitAny" },
  {
    path: "server/src/bang.ts",
    code: "export const first = (list: string[]) => list[0]!;",
    rule: "noNonNullAssertion",
  },
  {
    path: "server/src/imports-a-type.ts",
    code: 'import { Deps } from "./deps.ts";\nexport type Same = Deps;',
    rule: "useImportType",
  },
  { path: "server/src/imports-fs.ts", code: 'import { readFile } from "fs";', rule: "useNodejsImportProtocol" },
  { path: "server/src/flows/barrel.ts", code: 'export { login } from "./login.ts";', rule: "noBarrelFile" },
  { path: "server/src/index.ts", code: 'export { createAuth } from "./create-auth.ts";', rule: null },
  { path: "shared/src/schemas.ts", code: 'export { User } from "./schemas/accounts.ts";', rule: null },
  { path: "server/src/verifier.ts", code: 'export * from "./index.ts";', rule: "noReExportAll" },
  { path: "server/src/camelCase.ts", code: "export const x = 1;", rule: "useFilenamingConvention" },
  { path: "server/src/store/migrations/0001-initial.ts", code: "export const x = 1;", rule: null },
  {
    path: "server/src/chicken.ts",
    code: 'import { egg } from "./egg.ts";\nexport const chicken = egg;',
    rule: "noImportCycles",
  },
  {
    path: "server/src/egg.ts",
    code: 'import { chicken } from "./chicken.ts";\nexport const egg = chicken;',
    rule: "noImportCycles",
  },
  {
    path: "server/src/forgets-to-await.ts",
    code: "async function save(): Promise<void> {}\nexport function run() {\n  save();\n}",
    rule: "noFloatingPromises",
  },
  {
    path: "server/src/forgets-a-callback-is-async.ts",
    code: "export const run = (list: string[]) => list.filter(async (item) => item);",
    rule: "noMisusedPromises",
  },
  {
    path: "server/src/forgets-a-case.ts",
    code: 'export function act(kind: "a" | "b") {\n  switch (kind) {\n    case "a":\n      return 1;\n  }\n  return 2;\n}',
    rule: "useExhaustiveSwitchCases",
  },
  {
    path: "server/src/throws-a-string.ts",
    code: 'export function fail() {\n  throw "no";\n}',
    rule: "useThrowOnlyError",
  },
  {
    path: "server/src/reassigns.ts",
    code: "export function inc(n: number) {\n  n = n + 1;\n  return n;\n}",
    rule: "noParameterAssign",
  },
  { path: "server/src/imports-js.ts", code: 'export type { Deps } from "./deps";', rule: "useImportExtensions" },
  { path: "server/src/deps.ts", code: "export interface Deps {\n  readonly list: readonly string[];\n}", rule: null },
  { path: "server/src/lists.ts", code: "export type List = Array<string>;", rule: "useConsistentArrayType" },
  {
    path: "tests/src/skips.test.ts",
    code: 'import { test } from "vitest";\ntest.skip("later", () => {});',
    rule: "noSkippedTests",
  },
  {
    path: "tests/src/focuses.test.ts",
    code: 'import { test } from "vitest";\ntest.only("now", () => {});',
    rule: "noFocusedTests",
  },
  { path: "tests/src/support/reads-the-environment.ts", code: "export const ci = process.env;", rule: null },
];

let refusals: Refusals;
beforeAll(async () => {
  refusals = await lintPlanted(new Map(rows.map(({ path, code }) => [path, `${code}\n`])));
}, 30_000);

test.for(rows)("$path: $code", ({ path, rule }) => {
  const refusedBy = [...(refusals.get(path) ?? [])];
  if (rule === null) expect(refusedBy).toEqual([]);
  else expect(refusedBy).toContain(rule);
});
