import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";
import { isLong } from "./tests/src/support/long-tests.ts";

const source = ["@countersign/source"];
const postgres = fileURLToPath(new URL("./tests/src/support/postgres-setup.ts", import.meta.url));
/** They measure times, and so nothing runs beside them. */
const alone = ["src/attack/enumeration-timing.test.ts", "src/faults/flood.test.ts"];

export default defineConfig({
  resolve: { conditions: source },
  ssr: { resolve: { conditions: source, externalConditions: source } },
  test: {
    // Vitest leaves one core for itself; much of what ours do is to wait, for a browser or for a time.
    maxWorkers: availableParallelism(),
    projects: [
      ...["shared", "client"].map((name) => project(name, name)),
      project("server", "server", { globalSetup: postgres }),
      project("notes", "examples/notes"),
      project("tests", "tests", {
        exclude: [...configDefaults.exclude, "src/packages/**", ...alone],
        globalSetup: postgres,
        provide: { dialect: "sqlite" },
      }),
      // What does not depend on the database at all runs once.
      project("postgres", "tests", {
        include: [
          ...["contract", "flows", "properties", "subscriptions", "trpc"].map((room) => `src/${room}/**/*.test.ts`),
          `src/attack/${isLong ? "{enumeration,guessing,tokens}" : "enumeration"}.test.ts`,
        ],
        globalSetup: postgres,
        provide: { dialect: "postgres" },
      }),
      // The packed packages, in a folder and a time of their own: installing them keeps both cores busy.
      project("packages", "tests/src/packages", {
        sequence: { groupOrder: 1 },
        testTimeout: 180_000,
        hookTimeout: 300_000,
      }),
      project("alone", "tests", { include: alone, maxWorkers: 1, sequence: { groupOrder: 2 } }),
    ],
  },
});

function project(name: string, root: string, options: object = {}) {
  return { extends: true as const, test: { name, root, include: ["**/*.test.ts"], ...options } };
}
