import { type AuthClient, createAuthClient, isAuthError } from "@countersign/client";
import type { PagesRouter } from "@countersign/server";
import { QueryClient } from "@tanstack/react-query";
import { createTRPCOptionsProxy, type TRPCOptionsProxy } from "@trpc/tanstack-react-query";
import type { AppPage } from "./page.ts";

/** What the pages talk to the server with. */
export interface AppClient {
  readonly auth: AuthClient<PagesRouter>;
  readonly queryClient: QueryClient;
  readonly trpc: TRPCOptionsProxy<PagesRouter>;
}

/** The client of the person whom the document was made for. When they are not signed in any more, the page is left. */
export function createAppClient({ session }: AppPage): AppClient {
  const auth = createAuthClient<PagesRouter>({
    url: "/pages/trpc",
    storage: "cookie",
    session: { ...session, authTime: new Date(session.authTime), expiresAt: new Date(session.expiresAt) },
  });
  const queryClient = new QueryClient({
    // A refusal stays a refusal; only what the network failed is worth another try.
    defaultOptions: { queries: { retry: (failures, error) => !isAuthError(error) && failures < 3 } },
  });
  auth.subscribe(({ type }) => {
    // Nothing of the page is left behind, in this tab or in any other: the next one is made by the server.
    if (type === "signed-out" || type === "signed-in") location.replace(placeAfter(type));
  });
  return { auth, queryClient, trpc: createTRPCOptionsProxy<PagesRouter>({ client: auth.trpc, queryClient }) };
}

function placeAfter(type: "signed-in" | "signed-out"): string {
  const here = location.pathname + location.search;
  return type === "signed-in" ? here : `/sign-in?${new URLSearchParams({ return_to: here })}`;
}
