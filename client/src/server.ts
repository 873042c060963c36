/** The server's own procedures, as the client calls them: one request each, with no token. */
import type { RootRouter } from "@countersign/server";
import { createTRPCClient, httpLink, type TRPCClient } from "@trpc/client";
import type { Transport } from "./link.ts";

export type Server = TRPCClient<RootRouter>;

export function createServer(transport: Transport): Server {
  // Calls of the page that wait for a connection wait for these, too.
  const fetch: Transport["fetch"] = (input, init) =>
    transport.fetch(input, { ...init, priority: "high" } as RequestInit as typeof init);
  return createTRPCClient<RootRouter>({ links: [httpLink({ ...transport, fetch })] });
}
