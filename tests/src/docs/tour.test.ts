/** The README's tour, as printed: its commands, in one shell, against `npm start` and then against `npm run notes`. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { codeBlocks, read, root } from "./markdown.ts";

/** The commands that the README has under a note, as one script. */
function scriptOf(name: string): { readonly count: number; readonly script: string } {
  const commands = codeBlocks(read("README.md")).filter(({ note }) => note === name);
  return {
    count: commands.length,
    script: ["set -e", ...commands.map(({ code }) => `${code.replaceAll(/\ncurl/g, "\necho\ncurl")}\necho`)].join("\n"),
  };
}

it("the tour works as printed", { timeout: 120_000 }, async ({ skip }) => {
  if (!(await isFree(3000))) skip("the tour needs port 3000, and something else listens there");
  const folder = mkdtempSync(`${tmpdir()}/countersign-tour-`);
  const env = { ...process.env, DATABASE_URL: `file:${folder}/tour.db`, NODE_ENV: "development" };
  try {
    const tour = scriptOf("tour");
    expect(tour.count).toBe(3);
    const said = await besideServer(["start"], { ready: "Ctrl-C stops it.", env, script: tour.script });
    expect(said).toMatch(/^\{"result":\{"data":\{"json":\{"accessToken":"eyJ/);
    expect(said).toContain('"username":"alice"');
    expect(said).toMatch(/\n\{"id":"[0-9a-f-]{36}","username":"alice","email":null,"roles":\[\]\}\n/);
    expect(said).toContain("Signed in as alice.");
    expect(said).toMatch(/Signed in on 3 devices; this one since \d/);
    expect(said).toContain("Signed out: TOKEN_MISSING.");

    const notes = scriptOf("notes");
    expect(notes.count).toBe(2);
    const noted = await besideServer(["run", "notes"], { ready: "Notes are served", env, script: notes.script });
    expect(noted).toMatch(
      /\n\{"result":\{"data":\{"json":\[\{"id":1,"text":"Buy milk","createdAt":"[^"]+"\}\],"meta":/,
    );
    expect(noted).toMatch(/\nroles {5}moderator\n/);
    expect(noted.trim().split("\n").at(-1)).toBe(
      '{"result":{"data":{"json":null,"meta":{"values":["undefined"],"v":1}}}}',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

interface Beside {
  /** What the server prints when it is ready. */
  readonly ready: string;
  readonly env: NodeJS.ProcessEnv;
  readonly script: string;
}

/** Runs a script in a shell while one of npm's scripts serves, and returns what it printed. */
async function besideServer(args: readonly string[], { ready, env, script }: Beside): Promise<string> {
  const server = spawn("npm", [...args], { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(server, "close");
  try {
    await untilPrinted(server.stdout, ready);
    return (await promisify(execFile)("bash", ["-c", script], { cwd: root, env })).stdout;
  } finally {
    server.kill("SIGTERM");
    await closed;
  }
}

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
