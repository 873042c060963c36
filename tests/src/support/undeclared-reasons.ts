/** Holds an app to what its procedures declare: whatever a test provokes, types of clients and OpenAPI have said before. */
import type { App } from "@countersign/server";

interface Described {
  readonly paths: Readonly<
    Record<string, Readonly<Record<"get" | "post", { readonly "x-countersign-reasons"?: readonly string[] }>>>
  >;
}

interface Refused {
  readonly error?: { readonly json?: { readonly data?: { readonly path?: string; readonly reason?: string | null } } };
}

/** Watches an app's replies, and answers the refusals so far that their procedures do not declare: `ping: BUSY`. */
export function watchForUndeclared(app: App): () => readonly string[] {
  const handle = app.fetch;
  const undeclared: string[] = [];
  let declaredBy: Promise<(path: string) => readonly string[] | undefined> | undefined;

  async function describe() {
    const { paths } = (await (await handle(new Request("http://localhost/openapi.json"))).json()) as Described;
    return (path: string) => {
      const item = paths[`/trpc/${encodeURIComponent(path)}`];
      return (item?.get ?? item?.post)?.["x-countersign-reasons"];
    };
  }

  async function check(response: Response): Promise<void> {
    declaredBy ??= describe();
    const declared = await declaredBy;
    const replies = [await response.json()].flat() as readonly Refused[];
    for (const { error } of replies) {
      const { path, reason } = error?.json?.data ?? {};
      // A request that no typed client sends is a BAD_REQUEST, whatever it was for.
      if (path === undefined || !reason || reason === "BAD_REQUEST") continue;
      if (declared(path)?.includes(reason) === false) undeclared.push(`${path}: ${reason}`);
    }
  }

  app.fetch = async (request, ...rest) => {
    const response = await handle(request, ...rest);
    const isRefusal = new URL(request.url).pathname.startsWith("/trpc/") && response.status >= 207;
    if (isRefusal && request.method !== "HEAD") await check(response.clone());
    return response;
  };
  return () => undeclared;
}
