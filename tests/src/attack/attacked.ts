/** A server of its own process, watched from within: what the tests of strangers' input share. */
import { once } from "node:events";
import { expect } from "vitest";
import { isLong } from "../support/long-tests.ts";
import { startNode } from "../support/node-process.ts";
import { kill } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { unlimited } from "../support/unlimited.ts";
import { signIn, whoami } from "../support/wire.ts";

/** The origin of the server's own pages. */
export const origin = "https://fleet.example";

/** What happened since it was looked at last. */
interface Look {
  /**
   * How long the event loop was held up, at most, in milliseconds: by the time that its thread worked without coming back to its
   * timers. The time that passed would count what else this machine does. So what waits for the disk, as for an fsync, counts nothing.
   */
  readonly stall: number;
  /** What is new or another in the prototypes that everybody shares, as in `Object.prototype.isAdmin`, since the process began. */
  readonly changed: readonly string[];
}

/** What anything still holds, in MiB: in the heap, and outside of it, as the bytes of buffers are. */
export interface Memory {
  readonly heap: number;
  readonly external: number;
}

/** Answers a signal with a line of JSON: one with a {@link Look}, the other with the {@link Memory}. */
const signals = { look: "SIGUSR2", memory: "SIGHUP" } as const;

const watchProcess = `
  const spent = () => { const { user, system } = process.threadCpuUsage(); return (user + system) / 1_000; };
  let last = spent();
  let stall = 0;
  const note = () => { const now = spent(); stall = Math.max(stall, now - last); last = now; };
  setInterval(note, 2).unref();
  process.getBuiltinModule("node:v8").setFlagsFromString("--expose-gc");
  const collect = process.getBuiltinModule("node:vm").runInNewContext("gc");
  const everybodys = [Object, Array, Function, String, Number, Boolean, Promise, Map, Set, Date];
  const members = () => new Map(everybodys.flatMap(({ name, prototype }) => Reflect.ownKeys(prototype).map((key) =>
    [name + ".prototype." + String(key), Object.getOwnPropertyDescriptor(prototype, key).value])));
  const atFirst = members();
  const changed = () =>
    [...members()].filter(([name, value]) => !atFirst.has(name) || atFirst.get(name) !== value).map(([name]) => name);
  const inMiB = (bytes) => Math.round(bytes / 104_857.6) / 10;
  const answer = (said) => process.stderr.write("watched " + JSON.stringify(said) + "\\n");
  process.on("${signals.look}", () => {
    note();
    answer({ stall, changed: changed() });
    last = spent();
    stall = 0;
  });
  process.on("${signals.memory}", () => {
    note();
    collect();
    const { heapUsed, external } = process.memoryUsage();
    answer({ heap: inMiB(heapUsed), external: inMiB(external) });
    last = spent();
  });`;

/** Longer than any test takes. */
const accessTtlSeconds = 86_400;

/**
 * The longest that anybody may be kept waiting, in milliseconds. To parse the deepest JSON that fits into a body takes V8 a fourth of
 * it, and much longer on a machine that is busy with ten other things, as in a run of all tests.
 */
const longestStall = isLong ? 50 : 100;
/** In MiB: what the engine learns of code that runs often, and caches of those who are signed in. */
const growth = isLong ? 16 : 8;

export type Attacked = Awaited<ReturnType<typeof attacked>>;

/** Starts it. Ends with its block. */
export async function attacked() {
  const folder = await temporaryFolder();
  const { child, server } = startNode(`file:${folder.file("auth.db")}`, {
    env: {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(watchProcess)}`,
      TEST_NODE_OPTIONS: JSON.stringify({ limits: unlimited, accessTtlSeconds }),
    },
  });
  const { url, output, ended } = await server;
  let seen = 0;

  async function ask(signal: NodeJS.Signals): Promise<unknown> {
    child.kill(signal);
    for (;;) {
      const [, line] = [...output().matchAll(/^watched (.*)\n/gm)][seen] ?? [];
      if (line !== undefined) {
        seen += 1;
        return JSON.parse(line);
      }
      const end = await Promise.race([once(child.stderr, "data").then(() => null), ended]);
      if (end !== null) throw new Error(`the server ended with ${end}: ${output()}`);
    }
  }
  const look = async () => (await ask(signals.look)) as Look;
  const memory = async () => (await ask(signals.memory)) as Memory;

  return {
    url,
    memory,
    /** Sends, and again where that held the loop up: what happens once, as when code is compiled, is nothing that anybody could repeat. */
    async expectPrompt(send: () => Promise<void>): Promise<void> {
      const stalls: number[] = [];
      do {
        await send();
        const { stall, changed } = await look();
        expect(changed).toEqual([]);
        stalls.push(stall);
      } while (stalls.length < 4 && stalls.every((stall) => stall >= longestStall));
      expect(Math.min(...stalls), `held up again and again: ${stalls.join(", ")} ms`).toBeLessThan(longestStall);
    },
    /** Memory is back to what it was, and Alice, who has an account, can sign in and is served. */
    async expectAsBefore(before: Memory): Promise<void> {
      expect(await whoami(url, await signIn(url, "alice"))).toMatchObject({ status: 200 });
      const { heap, external } = await memory();
      expect(heap).toBeLessThan(before.heap + growth);
      expect(external).toBeLessThan(before.external + growth);
    },
    async [Symbol.asyncDispose]() {
      await kill(child);
      await folder[Symbol.asyncDispose]();
    },
  };
}
