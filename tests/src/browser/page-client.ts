/** What runs in the pages of the tests: a client, and a person who calls again and again. */
import { createAuthClient, type SessionEvent } from "@countersign/client";
import type { TestRouter } from "../support/test-router.ts";

const { searchParams, origin } = new URL(location.href);
const storage = searchParams.get("storage");

const auth = createAuthClient<TestRouter>({
  url: `${searchParams.get("api") ?? origin}/trpc`,
  ...((storage === "cookie" || storage === "localStorage" || storage === "memory") && { storage }),
});
const events: SessionEvent["type"][] = [];
auth.subscribe(({ type }) => events.push(type));

/** What became of a tab's calls. */
export interface Report {
  readonly calls: number;
  readonly failures: readonly string[];
  readonly events: readonly SessionEvent["type"][];
  readonly status: string;
}

/** Calls, waits a moment, and calls again, for so long. */
async function run(milliseconds: number, pauseMs: number): Promise<Report> {
  const failures: string[] = [];
  // What led here is not of this run.
  events.length = 0;
  const end = performance.now() + milliseconds;
  let calls = 0;
  while (performance.now() < end) {
    calls += 1;
    await auth.trpc.whoami.query().catch((error: unknown) => failures.push(String(error)));
    await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
  }
  return { calls, failures, events, status: auth.session.status };
}

/** What tests find in a page's `window`. */
export interface TestPage {
  readonly auth: typeof auth;
  readonly events: typeof events;
  readonly run: typeof run;
}
Object.assign(window, { page: { auth, events, run } satisfies TestPage });
