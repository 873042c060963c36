import { callerTransformer as transformer } from "@countersign/shared";
import { createTRPCClient, httpBatchLink, type TRPCClient } from "@trpc/client";
import type { AnyTRPCRouter } from "@trpc/server";
import type { RouterWithAuth } from "./create-auth-client.ts";
import { type Fetch, maxItems } from "./link.ts";

export interface RequestClientOptions {
  /** Where the server's tRPC is, as in `https://app.example/trpc`. */
  readonly url: string;
  /** The page's request, whose session cookie or `Authorization` header the calls are made with. */
  readonly request: Request;
  /** How to send requests. Default: the platform's `fetch`. */
  readonly fetch?: Fetch;
}

/**
 * Makes the client that answers one request of a page, for loaders of server-rendered applications: its calls are the
 * visitor's. It keeps nothing, refreshes nothing and sets no cookie, so that no request can touch another's sign-in; a
 * session cookie never needs it. A change is taken from a page of the application's own origin alone, as in a browser.
 *
 * Where the router is in the same process, `appRouter.createCaller(await auth.createContext({ req: request }))` saves the
 * way over the network.
 *
 * @example
 * ```ts
 * export async function loader(request: Request) {
 *   const trpc = createRequestClient<AppRouter>({ url: "http://localhost:3000/trpc", request });
 *   return { session: await trpc.auth.session.query() };
 * }
 * ```
 */
export function createRequestClient<Router extends RouterWithAuth>(options: RequestClientOptions): TRPCClient<Router> {
  const { url, request, fetch } = options;
  const headers = forwarded(request);
  const link = httpBatchLink<AnyTRPCRouter>({ url, transformer, headers, maxItems, ...(fetch && { fetch }) });
  return createTRPCClient<Router>({ links: [link] });
}

/** Who sent the page's request, and from where: nothing else of it is the server's business, nor are other cookies. */
function forwarded({ headers }: Request): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const name of ["authorization", "sec-fetch-site", "origin"]) {
    const value = headers.get(name);
    if (value !== null) sent[name] = value;
  }
  const cookies = headers.get("cookie")?.split(/; */) ?? [];
  const session = cookies.filter((pair) => /^(?:__Host-)?countersign=/.test(pair)).join("; ");
  return session === "" ? sent : { ...sent, cookie: session };
}
