/** The pages of the server: its own front end, on its own origin. */
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import type { RequestVariables } from "../every-request.ts";
import { appPageRoutes } from "./app-pages.ts";
import { type BuiltPages, loadPages, pagesPath } from "./assets.ts";
import { authPageRoutes } from "./auth-pages.ts";
import type { PageParts } from "./page-request.ts";
import { choosePreferences } from "./preferences.ts";

/** How the pages look. */
export interface PagesOptions {
  /** What they call this server. Default: `"Countersign"`. */
  readonly name?: string;
  /** The address of a picture on this server, shown beside the name. Default: none. */
  readonly logo?: string;
}

export function pageRoutes(
  { name = "Countersign", logo }: PagesOptions,
  given: Omit<PageParts, "brand" | "load">,
): Hono<{ Variables: RequestVariables }> {
  let loading: Promise<BuiltPages> | undefined;
  // When the first page is asked for, so that a server starts without them. One that could not be read is tried again.
  const load = () => {
    loading ??= loadPages().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  const parts: PageParts = { ...given, brand: { name, logo: logo ?? null }, load };
  return new Hono<{ Variables: RequestVariables }>()
    .route("/", authPageRoutes(parts))
    .route("/", appPageRoutes(parts))
    .post("/preferences", choosePreferences)
    .get(`${pagesPath}/*`, async (context, next) => {
      const { folder } = await load();
      const isHashed = context.req.path.startsWith(`${pagesPath}/assets/`);
      const serve = serveStatic({
        root: folder,
        precompressed: true,
        rewriteRequestPath: (path) => path.slice(pagesPath.length),
        onFound: (_, found) =>
          found.header("cache-control", isHashed ? "public, max-age=31536000, immutable" : "public, max-age=3600"),
      });
      return serve(context, next);
    });
}
