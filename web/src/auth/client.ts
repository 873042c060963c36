import { type AuthClient, createAuthClient } from "@countersign/client";
import type { RootRouter } from "@countersign/server";

let client: AuthClient<RootRouter> | undefined;

/** The client of this page. Made when a form is sent: until then nothing is asked of the server. */
export function authClient(): AuthClient<RootRouter> {
  client ??= createAuthClient<RootRouter>({ url: "/trpc", storage: "cookie", session: null });
  return client;
}
