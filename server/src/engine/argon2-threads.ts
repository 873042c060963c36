/**
 * Argon2id in threads of its own, which give way to the thread that answers. libuv's threads do not: there a hash takes a
 * processor from signed-in traffic for as long as the scheduler likes, and makes signatures and the disk wait for their turn.
 */
import { once } from "node:events";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

/** What is used of @node-rs/argon2, done somewhere. Spelled out, as its own types would be in our declarations. */
export interface Argon2 {
  hash(password: string, options: Argon2Options): Promise<string>;
  verify(stored: string, password: string): Promise<boolean>;
}

interface Argon2Options {
  /** In KiB. */
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
  /** A random one by default. */
  readonly salt?: Uint8Array;
}

type Answer = { readonly result: unknown } | { readonly message: string };

/**
 * What a thread does: calls the function that it is told, and answers. A text, as a file of its own would be lost in the bundle
 * of an application. On Linux a priority is that of the calling thread; elsewhere it would be that of the whole process.
 */
const work = `
const { parentPort, workerData } = require("node:worker_threads");
const { constants, setPriority } = require("node:os");
if (process.platform === "linux") setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const argon2 = require(workerData);
parentPort.on("message", ({ name, input }) => {
  try {
    parentPort.postMessage({ result: argon2[name](...input) });
  } catch ({ message }) {
    parentPort.postMessage({ message });
  }
});
`;

/**
 * Threads that do one hash at a time, one of them for each that is asked for while all others work. They are kept, 12 MB each:
 * whoever asks decides how many that may be. None keeps the process from ending but while it works.
 */
export function createArgon2Threads(): Argon2 {
  const idle: Worker[] = [];

  async function call(name: "hashSync" | "verifySync", input: readonly unknown[]): Promise<unknown> {
    const thread = idle.pop() ?? startThread();
    thread.ref();
    thread.postMessage({ name, input });
    // Of a thread that failed as such, this throws why, and the thread is gone.
    const [answer] = (await once(thread, "message")) as [Answer];
    thread.unref();
    idle.push(thread);
    if ("message" in answer) throw new Error(answer.message);
    return answer.result;
  }

  return {
    hash: async (...input) => String(await call("hashSync", input)),
    verify: async (...input) => (await call("verifySync", input)) === true,
  };
}

function startThread(): Worker {
  const library = createRequire(import.meta.url).resolve("@node-rs/argon2");
  // What the process was told to load at its start (--import) is for its own work.
  return new Worker(work, { eval: true, execArgv: [], workerData: library, name: "argon2" });
}
