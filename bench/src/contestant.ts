/** A server under test: a process that listens on `PORT`, and prints a line of JSON with the requests to ask it. */
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { freePort } from "@countersign/tests/postgres-server";
import pidusage from "pidusage";
import { type Core, spawnOn } from "./pinned.ts";
import type { BenchRequest } from "./request.ts";

export interface ContestantOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the servers'. */
  readonly core?: Core;
}

/** A process that answers. */
export interface Program extends AsyncDisposable {
  readonly url: string;
  /** Whether the load has the other core for itself. */
  readonly hasOwnCore: boolean;
  /** From the start of its process to the first reply, in milliseconds. */
  readonly firstReplyMs: number;
  /** What the system has counted for its process: the time on a processor, in milliseconds, and memory, in MiB. */
  usage(): Promise<{ readonly cpuMs: number; readonly rssMiB: number }>;
}

export interface Contestant extends Program {
  /** By what they ask; of several each is asked in turn. */
  readonly requests: Readonly<Record<string, readonly BenchRequest[]>>;
  /** Access tokens of one session, where it was told to make some. */
  readonly tokens: readonly string[];
}

/** @throws {Error} with what it printed, when it ends before it is ready. */
export async function startContestant(options: ContestantOptions): Promise<Contestant> {
  const { process, program } = await start(options);
  const { requests, tokens = [] } = await readiness(process.stdout);
  const lists = Object.entries(requests).map(([name, asked]) => [name, "path" in asked ? [asked] : asked]);
  return { ...program, requests: Object.fromEntries(lists), tokens };
}

/** A program that says nothing of its requests. @throws {Error} likewise. */
export async function startProgram(options: ContestantOptions): Promise<Program> {
  const { process, program } = await start(options);
  process.stdout?.resume();
  return program;
}

async function start({ command, args, folder, env = {}, core = "server" }: ContestantOptions) {
  const port = await freePort();
  const { PATH = "" } = process.env;
  const startedAt = performance.now();
  const child = spawnOn(core, command, args, {
    cwd: folder,
    env: { PATH, NODE_ENV: "production", PORT: String(port), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const url = `http://127.0.0.1:${port}`;
  const said: string[] = [];
  child.stderr?.setEncoding("utf8").on("data", (text) => said.push(text));
  const ended = once(child, "exit").then(() => {
    throw new Error(`${command} ${args.join(" ")} ended: ${said.join("")}`);
  });
  ended.catch(() => {});
  await Promise.race([firstReply(url), ended]);
  const program: Program = {
    url,
    hasOwnCore: core === "server",
    firstReplyMs: performance.now() - startedAt,
    async usage() {
      const { ctime, memory } = await pidusage(child.pid ?? 0);
      return { cpuMs: ctime, rssMiB: memory / 2 ** 20 };
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
  return { process: child, program };
}

interface Readiness {
  readonly requests: Readonly<Record<string, BenchRequest | readonly BenchRequest[]>>;
  readonly tokens?: readonly string[];
}

async function readiness(output: NodeJS.ReadableStream | null): Promise<Readiness> {
  if (output === null) throw new Error("the process has no output");
  for await (const line of createInterface(output)) if (line.startsWith('{"requests"')) return JSON.parse(line);
  throw new Error("the process said nothing of its requests");
}

/**
 * Any reply will do. Asked for once somebody listens, which no two peers tell alike: to ask in vain takes as much of the machine as a
 * start that is measured, and a connection in vain next to nothing.
 */
async function firstReply(url: string): Promise<void> {
  const { hostname: host, port } = new URL(url);
  while (!(await isListening(Number(port), host))) await setTimeout(2);
  await (await fetch(url, { redirect: "manual" })).arrayBuffer();
}

async function isListening(port: number, host: string): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
