/** One node: a process of its own on a database, with a clock that may be wrong. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Server, serverOf } from "./server-process.ts";

const program = fileURLToPath(new URL("../nodes/node.ts", import.meta.url));

/** Of all nodes: what one signs, another verifies. */
export const secret = Buffer.from("0123456789abcdef".repeat(2)).toString("base64url");

export interface OneNodeOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** How far its clock is ahead, in milliseconds. */
  readonly aheadMs?: number;
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
  { env = {}, aheadMs = 0 }: OneNodeOptions = {},
): { child: ChildProcessWithoutNullStreams; server: Promise<Server> } {
  const clock = `const { now } = Date; Date.now = () => now() + ${aheadMs};`;
  const flags = ["--conditions=@countersign/source", `--import=data:text/javascript,${encodeURIComponent(clock)}`];
  const child = spawn(process.execPath, [...flags, program], { env: { ...environmentOfNode(databaseUrl), ...env } });
  return { child, server: serverOf(child) };
}
