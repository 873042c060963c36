/** The server's own procedures, as the client calls them: one request each, with no token. */
import type { RootRouter } from "@countersign/server";
import { createTRPCClient, httpBatchLink, type TRPCClient } from "@trpc/client";
import type { Transport } from "./link.ts";

export type Server = TRPCClient<RootRouter>;

export function createServer(transport: Transport): Server {
  return createTRPCClient<RootRouter>({ links: [httpBatchLink({ ...transport, maxItems: 1 })] });
}
