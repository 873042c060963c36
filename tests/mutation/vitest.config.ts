/** The tests that each change of the code is tried with: those that call it in their own process, on SQLite. */
import { defineConfig } from "vitest/config";

const source = ["@countersign/source"];

export default defineConfig({
  resolve: { conditions: source },
  ssr: { resolve: { conditions: source, externalConditions: source } },
  test: {
    name: "mutation",
    // Loading the server anew for each file is most of the time that a change takes. What runs then needs it.
    isolate: process.env.COUNTERSIGN_STATIC_MUTANTS === "1",
    // The instrumented code is slower, and two processes run at once.
    testTimeout: 30_000,
    include: ["server/src/**/*.test.ts", "tests/src/{attack,contract,flows,subscriptions,trpc,verifier}/**/*.test.ts"],
    exclude: [
      "**/node_modules/**",
      // They start processes, browsers or databases, where no change of this process is; or they take long, and refuse nothing.
      "server/src/store/**",
      "tests/src/attack/{bombs,browser*,connections,enumeration-timing,leaks,parsers}.test.ts",
      "tests/src/contract/canaries.test.ts",
      "tests/src/verifier/runtimes.test.ts",
      "tests/src/subscriptions/many.test.ts",
      "**/plans.test.ts",
    ],
    provide: { dialect: "sqlite", postgresUrl: "" },
  },
});
