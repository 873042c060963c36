import { createAuthClient, isAuthError } from "@countersign/client";
import type { AppRouter } from "@countersign/example-notes/router";
import { QueryClient } from "@tanstack/react-query";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import { askForPassword } from "./step-up.ts";

/** Who is signed in: kept in a cookie that no script can read, as the API has the origin of the page. */
export const auth = createAuthClient<AppRouter>({ url: "/trpc", onStepUp: askForPassword });

export const queryClient = new QueryClient({
  // A refusal stays a refusal; only what the network failed is worth another try.
  defaultOptions: { queries: { retry: (failures, error) => !isAuthError(error) && failures < 3 } },
});

/** The options of every procedure for TanStack Query: `useQuery(trpc.notes.list.queryOptions())`. */
export const trpc = createTRPCOptionsProxy<AppRouter>({ client: auth.trpc, queryClient });
