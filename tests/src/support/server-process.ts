/** Processes that serve: what they print, where they listen, how they end. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";

/** A serving process. */
export interface Server {
  /** Where it listens. */
  readonly url: string;
  /** All that it has printed. */
  output(): string;
  /** Sends a signal, without waiting. */
  signal(name: NodeJS.Signals): void;
  /** The exit code, or the signal that ended it; waits for it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Waits until it listens. */
export async function serverOf(child: ChildProcessWithoutNullStreams): Promise<Server> {
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const output = () => stdout() + stderr();
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once("close", (code, signal) => resolve(code ?? signal)),
  );
  const url = await Promise.race([listening(child, output), ended.then(() => null)]);
  if (url === null) throw new Error(`the server ended at once: ${output()}`);
  return { url, output, ended, signal: (name) => void child.kill(name) };
}

export function kill(child: ChildProcessWithoutNullStreams): Promise<void> {
  return new Promise((resolve) => {
    child.once("close", () => resolve());
    child.kill("SIGKILL");
  });
}

export function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
  });
  return () => text;
}

/** Resolves with the address that the server prints: for people, or in a JSON line. */
function listening(child: ChildProcessWithoutNullStreams, output: () => string): Promise<string> {
  return new Promise((resolve) => {
    const look = () => {
      const url = /listen(?:s|ing) on (http:\/\/[\w.:[\]-]+:\d+)/.exec(output())?.[1];
      if (url !== undefined) resolve(url);
    };
    child.stdout.on("data", look);
  });
}
