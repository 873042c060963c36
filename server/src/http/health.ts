/** `GET /healthz`: the process answers. `GET /readyz`: so do its database and its feed. */
import { Hono } from "hono";
import { sql } from "kysely";
import type { Deps } from "../deps.ts";

export function healthRoutes(start: () => Promise<Deps>): Hono {
  const noStore = { "cache-control": "no-store" };
  return new Hono()
    .get("/healthz", (context) => context.json({ status: "ok" }, 200, noStore))
    .get("/readyz", async (context) => {
      const problem = await start().then(findProblem, () => "The database cannot be opened.");
      if (problem === null) return context.json({ status: "ready" }, 200, noStore);
      return context.json({ status: "unavailable", problem }, 503, { ...noStore, "retry-after": "1" });
    });
}

async function findProblem({ db, feed }: Deps): Promise<string | null> {
  try {
    await sql`select 1`.execute(db);
  } catch {
    return "The database does not answer.";
  }
  return feed.isStale() ? `The feed was last read ${Math.round(feed.age() / 1_000)} seconds ago.` : null;
}
