/** One node: a process of its own on a database, with a clock that may be wrong. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Server, serverOf } from "./server-process.ts";

const program = fileURLToPath(new URL("../nodes/node.ts", import.meta.url));

/** Of all nodes: what one signs, another verifies. */
export const secret = Buffer.from("0123456789abcdef".repeat(2)).toString("base64url");

export interface OneNodeOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** How far its clock is ahead, in milliseconds. {@link turnClock} changes it. */
  readonly aheadMs?: number;
  /** The most files, sockets among them, that it may have open (`ulimit -n`). */
  readonly openFiles?: number;
  /** The largest file, in KiB, that it may write (`ulimit -f`). */
  readonly fileKiB?: number;
}

/** What a node, or a command beside it, finds in its environment. */
export function environmentOfNode(databaseUrl: string): Record<string, string> {
  const { PATH = "" } = process.env;
  return {
    PATH,
    PORT: "0",
    COUNTERSIGN_SECRET: secret,
    COUNTERSIGN_ISSUER: "https://fleet.example",
    DATABASE_URL: databaseUrl,
    NODE_ENV: "production",
    LOG_LEVEL: "warn",
  };
}

export function startNode(
  databaseUrl: string,
  { env = {}, aheadMs = 0, openFiles, fileKiB }: OneNodeOptions = {},
): { child: ChildProcessWithoutNullStreams; server: Promise<Server> } {
  const clock = `--import=data:text/javascript,${encodeURIComponent(turnableClock(aheadMs))}`;
  const command = [process.execPath, "--conditions=@countersign/source", clock, program];
  const limits = [
    ...(openFiles === undefined ? [] : [`ulimit -n ${openFiles}`]),
    // In blocks of 512 bytes, as POSIX has it.
    ...(fileKiB === undefined ? [] : [`ulimit -f ${fileKiB * 2}`]),
  ];
  const [file = "", ...args] =
    limits.length === 0 ? command : ["/bin/sh", "-c", [...limits, 'exec "$0" "$@"'].join(" && "), ...command];
  const child = spawn(file, args, { env: { ...environmentOfNode(databaseUrl), ...env } });
  return { child, server: serverOf(child) };
}

/** A clock that goes on from another time for each line on the standard input. */
const turnableClock = (aheadMs: number) => `
  const { now } = Date;
  let aheadMs = ${aheadMs};
  Date.now = () => now() + aheadMs;
  process.stdin.setEncoding("utf8").on("data", (line) => {
    aheadMs = Number(line);
    process.stderr.write("clock turned\\n");
  });
  process.stdin.unref?.();`;

/** Turns a node's clock, so that it is so many milliseconds ahead of this machine's. */
export async function turnClock(child: ChildProcessWithoutNullStreams, aheadMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (text: string) => {
    if (text.includes("clock turned")) resolve();
  };
  child.stderr.on("data", look);
  child.stdin.write(`${aheadMs}\n`);
  await promise;
  child.stderr.off("data", look);
}
