/** The client in real runtimes, against the real server on a real socket. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { Miniflare } from "miniflare";
import { beforeAll, expect, test } from "vitest";
import { startBrowser, whyNoBrowser } from "../support/browser.ts";
import { installed, obstacle } from "../support/obstacle.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import type { Findings, Given } from "./runtimes/scenario.ts";
import { bundleScenario, serveScenario } from "./runtimes/served.ts";

/** What every runtime must find out. */
const expected: Findings = {
  username: "alice",
  wrote: "hello",
  isDate: true,
  read: "read",
  events: ["signed-in", "refreshing", "refreshed", "signed-out"],
  refusal: "INVALID_CREDENTIALS",
  afterwards: { status: "signed-out", reason: "SIGNED_OUT" },
  storedStart: "bob",
  storedRead: "read",
  third: "bob",
  storedItems: 0,
  cookieStart: "carol",
  cookieRead: "read",
  cookieAfterwards: "signed-out",
  localRead: "read",
  localSecond: "signed-out",
};

let scenario: Readonly<Record<string, string>>;
beforeAll(async () => {
  scenario = await bundleScenario();
});

/** Run before the scenario, and before anything that it imports. */
const reactNative = new URL("runtimes/react-native.js", import.meta.url);
/** What the workspace runs its tools with. */
const pinnedNode = installed("../../node_modules/node/bin/node");

/** What a command prints that runs the scenario and has nothing else to do: it must end by itself. */
async function runIn(command: string, flags: readonly string[], prelude = ""): Promise<unknown> {
  await using server = await serveScenario();
  await using folder = await temporaryFolder();
  const given: Given = { url: server.url, keepsCookies: false };
  const files = {
    ...scenario,
    "package.json": '{ "type": "module" }',
    "prelude.js": prelude,
    "main.js": `
      import "./prelude.js";
      import { run } from "./scenario.js";
      console.log(JSON.stringify(await run(${JSON.stringify(given)})));`,
  };
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(folder.file(name), text)));
  const env = { ...process.env, DENO_DIR: folder.file("deno") };
  const running = promisify(execFile)(command, [...flags, folder.file("main.js")], {
    cwd: folder.path,
    env,
    timeout: 20_000,
  });
  return JSON.parse((await running).stdout);
}

test.for([
  { runtime: "Node.js 20", command: installed("node-20/bin/node") },
  { runtime: "Node.js 22", command: installed("node-22/bin/node") },
  { runtime: "Node.js 24", command: pinnedNode },
  { runtime: "Bun", command: installed(".bin/bun") },
])("the client works in $runtime", { timeout: 30_000 }, async ({ command }, { skip }) => {
  const missing = obstacle(command);
  if (missing !== null) skip(missing);
  expect(await runIn(command, [])).toEqual(expected);
});

test("the client works in Deno, which has a localStorage", { timeout: 30_000 }, async ({ skip }) => {
  const command = installed(".bin/deno");
  const missing = obstacle(command);
  if (missing !== null) skip(missing);
  // It may reach the server, and nothing else: no file, no environment.
  const flags = ["run", "--no-prompt", "--no-config", "--quiet", "--allow-net=127.0.0.1"];
  expect(await runIn(command, flags)).toEqual({ ...expected, localSecond: "dave" });
});

test("the client works in workerd", async () => {
  await using server = await serveScenario();
  const main = `
    import { run } from "./scenario.js";
    export default { fetch: async (request) => Response.json(await run(await request.json())) };`;
  const modules = Object.entries({ "main.js": main, ...scenario }).map(
    ([path, contents]) => ({ type: "ESModule", path, contents }) as const,
  );
  const miniflare = new Miniflare({ modules, compatibilityDate: "2026-01-01" });
  try {
    const given: Given = { url: server.url, keepsCookies: false };
    const reply = await miniflare.dispatchFetch("http://worker/", { method: "POST", body: JSON.stringify(given) });
    expect(await reply.json()).toEqual(expected);
  } finally {
    await miniflare.dispose();
  }
});

const inThePage = `import("/scenario.js").then(({ run }) => run(given))`;
const inAWorker = `new Promise((resolve, reject) => {
  const worker = new Worker("/worker.js", { type: "module" });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.postMessage(given);
})`;
const worker = `
  import { run } from "./scenario.js";
  onmessage = async ({ data }) => postMessage(await run(data).catch(String));`;

test.for([
  { place: "a page", script: inThePage, localSecond: "dave" },
  { place: "a Web Worker", script: inAWorker, localSecond: "signed-out" },
])("the client works in $place of Chromium", async ({ script, localSecond }, { skip }) => {
  const missing = await whyNoBrowser();
  if (missing !== null) skip(missing);
  await using server = await serveScenario({ ...scenario, "worker.js": worker });
  await using browser = await startBrowser();
  const page = await browser.newPage();
  await page.goto(`${server.url}/page`);
  const given: Given = { url: server.url, keepsCookies: true };
  const found = await page.evaluate(`((given) => ${script})(${JSON.stringify(given)})`);
  expect(found).toEqual({ ...expected, localSecond });
});

test("the client works without the globals that React Native lacks", { timeout: 30_000 }, async () => {
  expect(await runIn(pinnedNode, [], await readFile(reactNative, "utf8"))).toEqual(expected);
});
