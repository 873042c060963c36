/** Builds the packages into their dist folders. */
import { compressAssets } from "./compress.mjs";
import { exists, fingerprint, readStamp, writeStamp } from "./fingerprint.mjs";
import { runTool } from "./process.mjs";
import { step } from "./step.mjs";

const packages = ["shared", "client", "server"];
const sources = [
  ...[...packages, "web"].flatMap((name) => [`${name}/src`, `${name}/package.json`]),
  ...["web/locales", "web/public", "web/vite.config.ts", "web/lingui.config.ts"],
  "pnpm-lock.yaml",
  "tsconfig.json",
  "tsconfig.build.json",
  "tsdown.config.ts",
];

/** Builds when a source changed since the last time; answers whether it went well. */
export async function ensureBuilt() {
  const upToDate =
    readStamp("built") === fingerprint(sources) &&
    [
      ...packages.map((name) => `${name}/dist/index.js`),
      "server/bin/countersign.js",
      "web/dist/server/render.js",
    ].every(exists);
  return upToDate || build();
}

/** Builds; answers whether it went well. */
export async function build() {
  const built = fingerprint(sources);
  const hint = "The build's errors are above.";
  const done =
    (await step("Building the packages", () => runTool("tsdown", ["--log-level=warn"]), { hint })) &&
    (await step("Building the pages", buildWeb, { hint }));
  writeStamp("built", done ? built : "");
  return done;
}

async function buildWeb() {
  const vite = (/** @type {string[]} */ ...args) =>
    runTool("vite", ["build", "web", "--logLevel=warn", ...args], { from: "web" });
  const client = await vite();
  if (client.code !== 0) return client;
  compressAssets("web/dist/client/assets");
  return vite("--ssr");
}

/** Builds the pages of `examples/react-ssr`; answers whether it went well. */
export function buildPages() {
  const folder = "examples/react-ssr";
  return step("Building the pages", () => runTool("react-router", ["build", folder], { from: folder }), {
    hint: "The build's errors are above.",
  });
}
