/** An example as its reader starts it: a process of its own, on free ports, its database in memory unless told. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface Example extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  /** Lets the process believe that it is so much later. */
  advance(milliseconds: number): void;
}

const lateClock = `
  const { now } = Date;
  let late = 0;
  Date.now = () => now() + late;
  process.on("message", (milliseconds) => { late += milliseconds; });`;

/**
 * Starts it, and waits until it listens. Ends with its block.
 *
 * @param file The one to start, below `examples`.
 * @param options.announces What it prints before its address.
 */
export async function startExample(
  file: string,
  { announces, databaseUrl = ":memory:" }: { readonly announces: string; readonly databaseUrl?: string },
): Promise<Example> {
  const path = fileURLToPath(new URL(`../../../examples/${file}`, import.meta.url));
  const clock = `--import=data:text/javascript,${encodeURIComponent(lateClock)}`;
  const child = spawn(process.execPath, ["--conditions=@countersign/source", clock, path], {
    env: { ...process.env, PORT: "0", PAGE_PORT: "0", DATABASE_URL: databaseUrl },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const address = new RegExp(`${announces} (http://[\\d.]+:\\d+)`);
  const url = await new Promise<string>((resolve, reject) => {
    let printed = "";
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      printed += text;
      const listening = address.exec(printed)?.[1];
      if (listening !== undefined) resolve(listening);
    });
    child.once("exit", (code) => reject(new Error(`${file} ended with ${code} before it listened`)));
  });
  return {
    url,
    advance: (milliseconds) => void child.send(milliseconds),
    async [Symbol.asyncDispose]() {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}
