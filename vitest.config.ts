import { configDefaults, defineConfig } from "vitest/config";

const source = ["@countersign/source"];

export default defineConfig({
  resolve: { conditions: source },
  ssr: { resolve: { conditions: source, externalConditions: source } },
  test: {
    projects: [
      ...["shared", "client", "server"].map((name) => project(name, name)),
      project("notes", "examples/notes"),
      project("tests", "tests", { exclude: [...configDefaults.exclude, "src/packages/**"] }),
      // The packed packages, in a folder and a time of their own: installing them keeps both cores busy.
      project("packages", "tests/src/packages", {
        sequence: { groupOrder: 1 },
        testTimeout: 180_000,
        hookTimeout: 300_000,
      }),
    ],
  },
});

function project(name: string, root: string, options: object = {}) {
  return { extends: true as const, test: { name, root, include: ["**/*.test.ts"], ...options } };
}
