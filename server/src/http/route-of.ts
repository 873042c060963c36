import type { Context } from "hono";
import { matchedRoutes } from "hono/route";

/** The pattern of the route that answered, as in `/trpc/*`; `null` when none did. Never the path, which may hold anything. */
export function routeOf(context: Context): string | null {
  return matchedRoutes(context).findLast(({ path }) => path !== "/*")?.path ?? null;
}
