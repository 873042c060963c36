import { type AuthClient, createAuthClient } from "@countersign/client";
import type { PagesRouter } from "@countersign/server";

let client: AuthClient<PagesRouter> | undefined;

/** The client of this page. Made when a form is sent: until then nothing is asked of the server. */
export function authClient(): AuthClient<PagesRouter> {
  client ??= createAuthClient<PagesRouter>({ url: "/pages/trpc", storage: "cookie", session: null });
  return client;
}
