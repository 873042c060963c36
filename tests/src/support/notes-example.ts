/** `examples/notes` as its reader starts it: a process of its own, on a free port, its database in memory unless told. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../../examples/notes/src/main.ts", import.meta.url));

/** Starts it and waits until it listens. Ends with its block. */
export async function notesExample({
  databaseUrl = ":memory:",
}: {
  databaseUrl?: string;
} = {}): Promise<{ readonly url: string } & AsyncDisposable> {
  const child = spawn(process.execPath, ["--conditions=@countersign/source", main], {
    env: { ...process.env, PORT: "0", DATABASE_URL: databaseUrl },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      printed += text;
      const listening = /http:\/\/[\d.]+:\d+/.exec(printed)?.[0];
      if (listening !== undefined) resolve(listening);
    });
    child.once("exit", (code) => reject(new Error(`examples/notes ended with ${code} before it listened`)));
  });
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}
