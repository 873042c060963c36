/** The pages of the server: its own front end, on its own origin. */
import { AuthError } from "@countersign/shared";
import { serveStatic } from "@hono/node-server/serve-static";
import type { AnyTRPCRouter } from "@trpc/server";
import { Hono } from "hono";
import { pageThatSent } from "../../trpc/session-cookie.ts";
import type { RequestVariables } from "../every-request.ts";
import { logFailure } from "../log-failure.ts";
import { resourceRefusal } from "../refusal.ts";
import { trpcRoutes } from "../trpc.ts";
import { appPageRoutes } from "./app-pages.ts";
import { type BuiltPages, loadPages, pagesPath } from "./assets.ts";
import { authPageRoutes } from "./auth-pages.ts";
import type { PageParts } from "./page-request.ts";
import { makePagesRouter } from "./pages-router.ts";
import { preferenceRoutes } from "./preferences.ts";
import { showProblem } from "./problem-page.ts";
import { type Accent, themeOf } from "./theme.ts";

/** How the pages look. */
export interface PagesOptions {
  /** What they call this server. Default: `"Countersign"`. */
  readonly name?: string;
  /** The address of a picture on this server, shown beside the name. Default: none. */
  readonly logo?: string;
  /** The colour of what can be pressed, on light and on dark pages, as in `#1a5ab8`. Default: a blue. */
  readonly accent?: Accent;
}

/**
 * @param given.router The application's, of which the developer's page tells.
 * @throws {TypeError} when a colour is malformed, or cannot be read on the pages.
 */
export function pageRoutes(
  { name = "Countersign", logo, accent }: PagesOptions,
  { router, ...given }: Pick<PageParts, "start" | "callerOf" | "log"> & { readonly router: AnyTRPCRouter },
): Hono<{ Variables: RequestVariables }> {
  const theme = accent === undefined ? null : themeOf(accent);
  let loading: Promise<BuiltPages> | undefined;
  // When the first page is asked for, so that a server starts without them. One that could not be read is tried again.
  const load = () => {
    loading ??= loadPages({ hasTheme: theme !== null }).catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  const parts: PageParts = { ...given, brand: { name, logo: logo ?? null }, load };
  const documents = new Hono<{ Variables: RequestVariables }>()
    .route("/", authPageRoutes(parts))
    .route("/", appPageRoutes(parts))
    .route("/", preferenceRoutes(parts))
    .onError((error, context) => {
      if (context.req.raw.signal.aborted) throw error;
      if (error instanceof AuthError) logFailure(parts.log, error, { requestId: context.get("requestId") });
      else parts.log.error({ requestId: context.get("requestId"), err: error }, "a page failed");
      return showProblem(context, parts, error);
    });
  const files = new Hono<{ Variables: RequestVariables }>()
    .get(`${pagesPath}/theme.css`, (context) =>
      theme === null
        ? context.notFound()
        : context.body(theme, 200, { "content-type": "text/css", "cache-control": "public, max-age=3600" }),
    )
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
  return (
    new Hono<{ Variables: RequestVariables }>()
      // Not even to be read by origins that may call the application's procedures: it decides which of ours those are.
      .use(`${pagesPath}/trpc/*`, async ({ req }, next) => {
        const page = pageThatSent((name) => req.header(name) ?? null, { origins: [], secure: false });
        return page === "another's" ? resourceRefusal(new AuthError("ORIGIN_NOT_ALLOWED")) : next();
      })
      .route(
        "/",
        // Of no other origin: these are called by the pages alone.
        trpcRoutes({
          ...given,
          at: `${pagesPath}/trpc`,
          router: makePagesRouter(router),
          createContext: (made) => made,
          origins: [],
        }),
      )
      .route("/", documents)
      .route("/", files)
  );
}
