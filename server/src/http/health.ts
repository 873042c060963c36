/** `GET /healthz`: the process answers. `GET /readyz`: so do its database and its feed. */
import { Hono } from "hono";
import type { Deps } from "../deps.ts";
import { proveWritable } from "../flows/prove-writable.ts";

/** Anybody may ask, so a write answers all who ask within this time. */
const provedForMs = 1_000;

export function healthRoutes(start: () => Promise<Deps>): Hono {
  let proof: { readonly at: number; readonly problem: Promise<string | null> } | undefined;

  async function findProblem(deps: Deps): Promise<string | null> {
    const { feed, now } = deps;
    if (!feed.isFollowed()) return "Everything was moved to another database. Start the server on that one.";
    if (proof === undefined || Math.abs(now() - proof.at) >= provedForMs) {
      const problem = proveWritable(deps).then(
        () => null,
        () => "The database cannot be written.",
      );
      proof = { at: now(), problem };
    }
    const problem = await proof.problem;
    if (problem !== null || !feed.isStale()) return problem;
    return `The feed was last read ${Math.round(feed.age() / 1_000)} seconds ago.`;
  }

  const noStore = { "cache-control": "no-store" };
  return new Hono()
    .get("/healthz", (context) => context.json({ status: "ok" }, 200, noStore))
    .get("/readyz", async (context) => {
      const problem = await start().then(findProblem, () => "The database cannot be opened.");
      if (problem === null) return context.json({ status: "ready" }, 200, noStore);
      return context.json({ status: "unavailable", problem }, 503, { ...noStore, "retry-after": "1" });
    });
}
