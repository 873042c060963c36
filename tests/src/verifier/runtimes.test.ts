/** The verifier entry in real runtimes, against the real server on a real socket. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleForBrowsers } from "../support/bundle.ts";
import { installed, obstacle } from "../support/obstacle.ts";
import { expected, type Issuer, startIssuer } from "./issuer.ts";

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

describe.each([
  { runtime: "Bun", command: installed(".bin/bun"), flags: (): string[] => [] },
  {
    runtime: "Deno",
    command: installed(".bin/deno"),
    // It may reach the issuer, and nothing else: no file, no environment.
    flags: () => ["run", "--no-prompt", "--no-config", "--quiet", `--allow-net=${new URL(issuer.given.jwksUri).host}`],
  },
])("in $runtime", ({ runtime, command, flags }) => {
  const missing = obstacle(command);
  test.skipIf(missing !== null)(`the verifier works${missing === null ? "" : ` (skipped: ${missing})`}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), `verifier-${runtime}-`));
    try {
      await writeFile(
        join(folder, "scenario.mjs"),
        (await bundleForBrowsers(new URL("scenario.ts", import.meta.url), "esm")).code,
      );
      await writeFile(join(folder, "given.json"), JSON.stringify(issuer.given));
      const main = join(folder, "main.mjs");
      await writeFile(
        main,
        `import given from "./given.json" with { type: "json" };
         import { run } from "./scenario.mjs";
         console.log(JSON.stringify(await run(given)));`,
      );
      const { stdout } = await promisify(execFile)(command, [...flags(), main], { cwd: folder, timeout: 20_000 });
      expect(JSON.parse(stdout)).toEqual(expected);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("in workerd", () => {
  let miniflare: Miniflare;
  beforeAll(async () => {
    const { code } = await bundleForBrowsers(new URL("worker.ts", import.meta.url), "esm");
    miniflare = new Miniflare({ modules: true, script: code, compatibilityDate: "2026-01-01" });
    await miniflare.ready;
  });
  afterAll(() => miniflare.dispose());

  const dispatch = async (path: string) => {
    const init = { method: "POST", body: JSON.stringify(issuer.given) };
    return (await miniflare.dispatchFetch(`http://worker${path}`, init)).json();
  };

  test("the verifier works", async () => {
    expect(await dispatch("/scenario")).toEqual(expected);
  });

  test("one verifier serves many requests at once, with one fetch of the keys", async () => {
    const before = issuer.jwksRequests();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => dispatch("/shared")));
    expect(new Set(outcomes)).toEqual(new Set(["alice"]));
    expect(issuer.jwksRequests() - before).toBe(1);
  });
});

describe("in a browser's bundle", () => {
  test("there is nothing of Node.js, no schema library, and little of everything", async () => {
    const { code, imports } = await bundleForBrowsers(new URL("scenario.ts", import.meta.url), "esm");
    expect(imports).toEqual([]);
    expect(code).not.toMatch(/\bnode:|\brequire\(|\bprocess\.|\bBuffer\b|__dirname/);
    expect(code).not.toMatch(/superjson|ZodError|kysely/i);
    expect(
      gzipSync((await bundleForBrowsers(new URL("scenario.ts", import.meta.url), "esm", { minify: true })).code).length,
    ).toBeLessThan(20_000);
  });

  test("the verifier works where there are only the web's globals", async () => {
    const { code } = await bundleForBrowsers(new URL("scenario.ts", import.meta.url), "iife");
    const worker = new Worker(asBrowserWould(code), { eval: true, workerData: issuer.given });
    const findings = await new Promise((resolve, reject) => {
      worker.once("message", resolve).once("error", reject);
    });
    await worker.terminate();
    expect(findings).toEqual(expected);
  });
});

/** A script that runs the code out of sight of what Node.js has beyond the web, and tells what it found. */
function asBrowserWould(code: string): string {
  const nodeOnly = ["process", "Buffer", "global", "require", "module", "exports", "setImmediate", "clearImmediate"];
  // Parameters that nobody passes, since Node.js's own fetch needs the globals themselves.
  return `
    const { parentPort, workerData } = require("node:worker_threads");
    const load = new Function(${nodeOnly.map((name) => JSON.stringify(name)).join()}, ${JSON.stringify(`${code}; return scenario;`)});
    load().run(workerData).then((findings) => parentPort.postMessage(findings));
  `;
}
