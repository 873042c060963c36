import { type AuthClient, createAuthClient } from "@countersign/client";
import type { PagesRouter } from "@countersign/server";

let client: AuthClient<PagesRouter> | undefined;

/**
 * What the forms of this page call. Not `client.login`, which asks again where no answer comes: here the person does, who sees
 * how long it takes. The client is made when a form is sent: until then nothing is asked of the server.
 */
export function authProcedures() {
  client ??= createAuthClient<PagesRouter>({ url: "/pages/trpc", storage: "cookie", session: null });
  return client.trpc.auth.cookie;
}
