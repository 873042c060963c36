/** The README's tour, as printed: its commands, in one shell, against `npm start`. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { codeBlocks, read, root } from "./markdown.ts";

const commands = codeBlocks(read("README.md"))
  .filter(({ note }) => note === "tour")
  .map(({ code }) => code);

it("the tour works as printed", { timeout: 120_000 }, async ({ skip }) => {
  if (!(await isFree(3000))) skip("the tour needs port 3000, and something else listens there");
  const folder = mkdtempSync(`${tmpdir()}/countersign-tour-`);
  const env = { ...process.env, DATABASE_URL: `file:${folder}/tour.db`, NODE_ENV: "development" };
  const server = spawn("npm", ["start"], { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
  try {
    await untilPrinted(server.stdout, "Ctrl-C stops it.");
    const script = ["set -e", ...commands.map((command) => `${command}\necho`)].join("\n");
    const { stdout } = await promisify(execFile)("bash", ["-c", script], { cwd: root, env });

    expect(commands).toHaveLength(3);
    expect(stdout).toContain('"username":"alice"');
    expect(stdout).toMatch(/\n\{"id":"[0-9a-f-]{36}","username":"alice","email":null,"roles":\[\]\}\n/);
    expect(stdout).toContain("Signed in as alice.");
    expect(stdout).toMatch(/Signed in on 3 devices; this one since \d/);
    expect(stdout).toContain("Signed out: TOKEN_MISSING.");
  } finally {
    server.kill("SIGTERM");
    await once(server, "close");
    rmSync(folder, { recursive: true });
  }
});

it("without a server, the tour says what to start", async ({ skip }) => {
  if (!(await isFree(3000))) skip("the tour needs port 3000, and something else listens there");
  const { code, stderr } = await promisify(execFile)("npm", ["run", "--silent", "tour"], { cwd: root }).catch(
    (error) => error,
  );
  expect(code).toBe(1);
  expect(stderr).toBe(
    "Nothing answers at http://localhost:3000. Run npm start in another terminal, and then the tour again.\n",
  );
});

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
      .once("error", () => resolve(false))
      .listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

/** Goes on reading afterwards: a server whose output nobody reads would stop. */
function untilPrinted(output: Readable, text: string): Promise<void> {
  let printed = "";
  return new Promise((resolve, reject) => {
    output.on("data", (chunk) => {
      printed += chunk;
      if (printed.includes(text)) resolve();
    });
    output.once("end", () => reject(new Error(`the server ended before it was ready:\n${printed}`)));
  });
}
