/** Several nodes, each a process of its own, on one PostgreSQL. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { type OneNodeOptions, secret, startNode } from "./node-process.ts";
import { kill, type Server } from "./server-process.ts";
import { createDatabase } from "./test-database.ts";

export interface Fleet extends AsyncDisposable {
  readonly nodes: readonly Server[];
  /** Of their database. */
  readonly databaseUrl: string;
  /** The master secret of all nodes. */
  readonly secret: string;
  /** One more. */
  add(own?: NodeOptions): Promise<Server>;
}

interface NodeOptions extends OneNodeOptions {
  /** Where the node reaches the database. Default: the database itself. */
  readonly databaseUrl?: string;
}

/** Starts them all at once. Ends with its block. */
export async function fleet(
  nodes: number | readonly NodeOptions[],
  { databaseUrl }: { readonly databaseUrl?: string } = {},
): Promise<Fleet> {
  const url = databaseUrl ?? (await createDatabase());
  const children = new Set<ChildProcessWithoutNullStreams>();
  async function add({ databaseUrl = url, ...options }: NodeOptions = {}): Promise<Server> {
    const { child, server } = startNode(databaseUrl, options);
    children.add(child);
    child.once("close", () => children.delete(child));
    return server;
  }
  const options = typeof nodes === "number" ? Array.from({ length: nodes }, () => ({})) : nodes;
  return {
    nodes: await Promise.all(options.map(add)),
    databaseUrl: url,
    secret,
    add,
    async [Symbol.asyncDispose]() {
      await Promise.all([...children].map(kill));
    },
  };
}
