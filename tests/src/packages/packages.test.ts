/** The packages as strangers get them: packed, judged, installed outside of the workspace, type-checked and run. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData, type Problem } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeBlocks, read } from "../docs/markdown.ts";
import { type Folder, folders, installInto, type Manifest, packAll, root, sameVersion, type Tarballs } from "./pack.ts";
import { runCommand } from "./run-command.ts";

const tsc = join(root, "node_modules/typescript/bin/tsc");
const runtimes: Record<"Node.js 24" | "Node.js 22" | "Bun" | "Deno", readonly [file: string, ...args: string[]]> = {
  "Node.js 24": [process.execPath],
  "Node.js 22": [join(root, "tests/node_modules/node-22/bin/node")],
  Bun: [join(root, "tests/node_modules/bun/bin/bun.exe")],
  Deno: [join(root, "tests/node_modules/.bin/deno"), "run", "--allow-all", "--quiet", "--node-modules-dir=manual"],
};

let temporary: string;
let tarballs: Tarballs;
/** Has all packages, and their peers. */
let consumer: string;
/** Has the client, and what it needs, but not the server. */
let browser: string;
/** What tsc said of the application in `consumer`: nothing, if all is well. It writes JavaScript whatever it thinks. */
let complaints: string;

beforeAll(async () => {
  temporary = await realpath(await mkdtemp(join(tmpdir(), "countersign-packages-")));
  tarballs = await packAll(join(temporary, "tarballs"));
  consumer = join(temporary, "consumer");
  browser = join(temporary, "browser");
  const peers = [await sameVersion("@trpc/server"), await sameVersion("@trpc/client"), await sameVersion("zod")];
  const react = [await sameVersion("react", "client"), await sameVersion("@types/react", "client")];
  await installInto(consumer, [...Object.values(tarballs), ...peers, ...react, await sameVersion("@types/node", ".")]);
  await installInto(browser, [tarballs.client, tarballs.shared, ...peers]);
  for (const folder of [consumer, browser])
    await cp(join(import.meta.dirname, "consumer"), folder, { recursive: true });
  await writeFile(join(consumer, "every-entry.ts"), await everyEntry());
  complaints = await typeCheck(consumer, "tsconfig.sign-in.json");
});

afterAll(() => rm(temporary, { recursive: true, force: true }));

describe.for(folders)("%s, packed,", (folder) => {
  test("has nothing that publint minds", async () => {
    const tarball = await readFile(tarballs[folder]);
    const { messages, pkg } = await publint({ pack: { tarball: bufferOf(tarball) }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  test("has types that resolve as the code does", async () => {
    const result = await checkPackage(createPackageFromTarballData(await readFile(tarballs[folder])));
    if (result.types === false) throw new Error("there are no types at all");
    expect(result.problems.filter(concernsEsm)).toEqual([]);
  });

  test("lists types first, files that are there, and no source condition", async () => {
    for (const [path, conditions] of Object.entries((await manifestOf(folder)).exports)) {
      expect(Object.keys(conditions), path).toEqual(["types", "default"]);
      for (const file of Object.values(conditions)) expect(existsSync(join(packed(folder), file)), file).toBe(true);
    }
  });

  test("imports nothing that its package.json does not declare", async () => {
    const { name, dependencies, peerDependencies } = await manifestOf(folder);
    const declared = new Set([name, ...Object.keys({ ...dependencies, ...peerDependencies })]);
    const undeclared = (await importsOf(join(packed(folder), "dist"))).filter(({ from }) => !declared.has(from));
    expect(undeclared).toEqual([]);
  });

  test("has declarations whose maps lead into the sources that it carries", async () => {
    const dist = join(packed(folder), "dist");
    const files = await readdir(dist);
    const maps = files.filter((file) => file.endsWith(".d.ts.map"));
    expect(maps.length).toBeGreaterThan(0);
    for (const map of maps) {
      const { sources } = JSON.parse(await readFile(join(dist, map), "utf8")) as { sources: string[] };
      expect(sources.filter((source) => !existsSync(join(dist, source)))).toEqual([]);
    }
  });

  test("carries its license, its README and its sources, and no tests", async () => {
    const files = await readdir(packed(folder), { recursive: true });
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "src/index.ts"]));
    expect(await readFile(join(packed(folder), "README.md"), "utf8")).toContain(`# @countersign/${folder}\n`);
    expect(files.filter((file) => file.includes(".test."))).toEqual([]);
  });
});

test("server, packed, carries Swagger UI with its license, and its consumers install no telemetry", async () => {
  const swaggerUi = ["swagger-ui.LICENSE.txt", "swagger-ui.NOTICE.txt", "swagger-ui-bundle.js", "swagger-ui.css"];
  expect(await readdir(join(packed("server"), "dist/swagger-ui"))).toEqual(expect.arrayContaining(swaggerUi));
  expect(existsSync(join(consumer, "node_modules/@scarf"))).toBe(false);
});

test("server, packed, has no types of its database in its declarations: an application would read all of Kysely", async () => {
  const imports = (await importsOf(join(packed("server"), "dist"))).filter(({ file }) => file.endsWith(".d.ts"));
  const needed = ["@countersign/shared", "@trpc/server", "hono", "jose", "zod"];
  expect([...new Set(imports.map(({ from }) => from))].sort()).toEqual(needed);
});

test("web, packed, is the pages as they were built, with their license, and needs nothing", async () => {
  const folder = join(consumer, "node_modules/@countersign/web");
  const files = await readdir(folder, { recursive: true });
  expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "dist/server/render.js"]));
  expect(files.filter((file) => /^src|\.tsx?$/.test(file))).toEqual([]);
  const { dependencies = {} }: Manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  expect(dependencies).toEqual({});
});

test("a stranger's application type-checks, with declarations and without skipLibCheck", () => {
  expect(complaints).toBe("");
});

test("the README's application type-checks with the README's settings", async () => {
  const folder = join(consumer, "notes");
  const [settings] = codeBlocks(read("README.md")).filter(({ note }) => note === "tsconfig");
  await cp(join(root, "examples/notes/src"), join(folder, "src"), {
    recursive: true,
    filter: (path) => !/\.test\.|__snapshots__/.test(path),
  });
  await writeFile(join(folder, "tsconfig.json"), settings?.code ?? "the README has no settings");
  const { output } = await runCommand(process.execPath, [tsc, "--pretty", "false", "-p", folder], folder);
  expect(output).toBe("");
});

test("a front end type-checks without our server package", async () => {
  expect(await typeCheck(browser, "tsconfig.browser-only.json")).toBe("");
});

test("with the oldest peers that they allow, an application type-checks, and signs somebody in", async () => {
  const folder = join(temporary, "oldest");
  const peers = await oldestPeers();
  const types = [await sameVersion("@types/node", "."), "@types/react@18"];
  await installInto(folder, [...Object.values(tarballs), ...peers, ...types]);
  await cp(join(import.meta.dirname, "consumer"), folder, { recursive: true });
  await writeFile(join(folder, "every-entry.ts"), await everyEntry());
  // tRPC's own declarations name types of ws that are not there.
  const said = (await typeCheck(folder, "tsconfig.sign-in.json")).split("\n");
  expect(said.filter((line) => line !== "" && !line.startsWith("node_modules/@trpc/server/dist/ws-"))).toEqual([]);
  const script = `import { listen } from "./out/server.js";
    import { signIn } from "./out/sign-in.js";
    console.log(JSON.stringify(await signIn((await listen()).url, "old")));
    process.exit();\n`;
  await writeFile(join(folder, "both.js"), script);
  const { output } = await runCommand(process.execPath, ["both.js"], folder);
  const seen = { username: "old", region: "north", team: "team of old", refusal: "TOKEN_MISSING" };
  expect(output.trim()).toBe(JSON.stringify(seen));
});

test.for(["Node.js 24", "Node.js 22"] as const)("every entry point loads on %s", async (name, { skip }) => {
  const [file, ...args] = runtimes[name];
  if (!existsSync(file)) skip(`${name} is not installed: there is no ${file}`);
  const { code, output } = await runCommand(file, [...args, "out/every-entry.js"], consumer);
  expect({ code, output }).toEqual({ code: 0, output: "" });
});

test.for(["Node.js 24", "Node.js 22"] as const)("the command runs on %s", async (name, { skip }) => {
  const [file, ...args] = runtimes[name];
  if (!existsSync(file)) skip(`${name} is not installed: there is no ${file}`);
  const command = (await manifestOf("server")).bin?.countersign ?? "package.json names no command";
  const { code, output } = await runCommand(file, [...args, join(packed("server"), command), "--version"], consumer);
  expect({ code, output: output.trim() }).toEqual({ code: 0, output: (await manifestOf("server")).version });
});

describe("a server on Node.js 22", () => {
  let server: ChildProcess;
  let url: string;

  beforeAll(async () => {
    const script = 'import { listen } from "./out/server.js";\nconsole.log((await listen()).url);\n';
    await writeFile(join(consumer, "serve.js"), script);
    server = spawn(runtimes["Node.js 22"][0], ["serve.js"], { cwd: consumer, stdio: ["ignore", "pipe", "inherit"] });
    url = await firstLine(server);
  });
  afterAll(() => {
    server?.kill();
  });

  test("has its pages, and what they load", async () => {
    const page = await (await fetch(`${url}/sign-in`)).text();
    expect(page).toContain("<h1>Sign in</h1>");
    const loaded = [...page.matchAll(/(?:src|href)="(\/pages\/[^"]+)"/g)].map(([, address = ""]) => address);
    expect(loaded.length).toBeGreaterThan(3);
    const statuses = await Promise.all(loaded.map(async (address) => (await fetch(`${url}${address}`)).status));
    expect(statuses).toEqual(loaded.map(() => 200));
  });

  test.for(Object.keys(runtimes) as Runtime[])("answers the client and the verifier on %s", async (name, { skip }) => {
    const [file, ...args] = runtimes[name];
    if (!existsSync(file)) skip(`${name} is not installed: there is no ${file}`);
    const username = name.replaceAll(/\W/g, "-");
    const call = `await signIn(${JSON.stringify(url)}, ${JSON.stringify(username)})`;
    const script = `import { signIn } from "./out/sign-in.js";\nconsole.log(JSON.stringify(${call}));\n`;
    await writeFile(join(consumer, `${username}.js`), script);
    const { output } = await runCommand(file, [...args, `${username}.js`], consumer);
    const seen = { username, region: "north", team: `team of ${username}`, refusal: "TOKEN_MISSING" };
    expect(output.trim()).toBe(JSON.stringify(seen));
  });
});

function packed(folder: Folder): string {
  return join(consumer, "node_modules/@countersign", folder);
}

async function manifestOf(folder: Folder): Promise<Manifest> {
  return JSON.parse(await readFile(join(packed(folder), "package.json"), "utf8"));
}

/** What each range of a peer begins with, as `zod@4.3.0`. */
async function oldestPeers(): Promise<readonly string[]> {
  const manifests = await Promise.all(folders.map(manifestOf));
  const peers = manifests.flatMap(({ peerDependencies = {} }) => Object.entries(peerDependencies));
  return [...new Set(peers.map(([name, range]) => `${name}@${range.replace(/^(?:\^|>=)/, "")}`))];
}

async function typeCheck(folder: string, project: string): Promise<string> {
  return (await runCommand(process.execPath, [tsc, "--build", "--pretty", "false", project], folder)).output;
}

/** A module that imports and exports every entry point of every package: read from `exports`, so that none is forgotten. */
async function everyEntry(): Promise<string> {
  const manifests = await Promise.all(folders.map(manifestOf));
  const entries = manifests.flatMap(({ name, exports }) => Object.keys(exports).map((path) => name + path.slice(1)));
  return entries.map((entry, index) => `export * as entry${index} from "${entry}";\n`).join("");
}

/** We publish ES modules only. What `require()` and the resolution of before 2020 make of them is not our promise. */
function concernsEsm(problem: Problem): boolean {
  if (problem.kind === "CJSResolvesToESM") return false;
  return (
    !("resolutionKind" in problem) || problem.resolutionKind === "node16-esm" || problem.resolutionKind === "bundler"
  );
}

/** The packages that the JavaScript and the declarations in a folder import. */
async function importsOf(folder: string): Promise<{ file: string; from: string }[]> {
  const files = (await readdir(folder)).filter((file) => /\.(?:js|d\.ts)$/.test(file));
  const found = await Promise.all(
    files.map(async (file) => ({ file, code: await readFile(join(folder, file), "utf8") })),
  );
  return found.flatMap(({ file, code }) =>
    [...code.matchAll(/\b(?:from|import(?: *\()?) *"(?<specifier>[^".][^"]*)"/g)]
      .map((match) => match.groups?.specifier ?? "")
      .filter((specifier) => !isBuiltin(specifier))
      .map((specifier) => ({ file, from: packageOf(specifier) })),
  );
}

function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the server ended with ${code} before it listened`)));
    child.stdout?.once("data", (text) => resolve(String(text).trim()));
  });
}

function bufferOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

type Runtime = keyof typeof runtimes;
