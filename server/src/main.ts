/** The process: read the environment, connect, migrate, serve, stop cleanly. */
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type Auth, createAuth } from "./create-auth.ts";
import type { Log } from "./deps.ts";
import { type Environment, readEnvironment } from "./environment.ts";
import { exitCodes } from "./failure.ts";
import { isToBeSetUp } from "./flows/accounts/set-up.ts";
import { type App, createApp } from "./http/app.ts";
import { type Served, serve } from "./http/serve.ts";
import { version } from "./version.ts";
import { localUrl, welcome } from "./welcome.ts";

/** How long requests under way may take after SIGTERM. */
const drainMs = 10_000;
/** How long, in production, requests are still taken after SIGTERM: a balancer looks at `/readyz` every second or two. */
const leaveMs = 3_000;

/**
 * Serves until SIGTERM or SIGINT. Then it lets the requests under way end, and closes the database. A second signal ends
 * the process at once.
 *
 * @throws {EnvironmentError | StoreError | SealingError | ListenError} when it cannot start; each says why in a sentence.
 */
export async function runServer(): Promise<void> {
  const environment = readEnvironment();
  const { log } = environment.auth;
  endOnUnexpected(log);

  const auth = createAuth(environment.auth);
  try {
    const deps = await auth.start();
    const stopping = new AbortController();
    const app = leavingWhen(stopping.signal, createApp(auth, environment.app));
    const served = await serve(app, environment.listen);
    announce({ environment, served, setupCode: (await isToBeSetUp(deps)) ? deps.setupCode : null });
    const signal = await nextSignal();
    stopping.abort();
    exitOnNextSignal();
    // Whoever pressed Ctrl-C has no balancer.
    if (signal === "SIGTERM" && environment.production) await sleep(leaveMs);
    log.info({ signal }, "stopping: requests under way may end");
    await served.close({ drainMs });
  } finally {
    await close(auth, log);
  }
}

function endOnUnexpected(log: Log): void {
  process.on("uncaughtException", (error) => {
    log.error({ err: error }, "the process ends: something happened that nobody expected");
    process.exit(exitCodes.failed);
  });
}

/** Lets balancers go elsewhere: `/readyz` says so, and no connection is kept that would be closed under a request. */
function leavingWhen(stopping: AbortSignal, app: App): Pick<App, "fetch"> {
  return {
    async fetch(request, ...rest) {
      if (!stopping.aborted) return app.fetch(request, ...rest);
      if (new URL(request.url).pathname !== "/readyz") {
        const reply = await app.fetch(request, ...rest);
        reply.headers.set("connection", "close");
        return reply;
      }
      const body = { status: "unavailable", problem: "The server is stopping." };
      return Response.json(body, { status: 503, headers: { "cache-control": "no-store" } });
    },
  };
}

function announce(start: {
  readonly environment: Environment;
  readonly served: Served;
  readonly setupCode: string | null;
}): void {
  const { environment, served, setupCode } = start;
  const { log } = environment.auth;
  const url = localUrl(served.url);
  if (environment.forPeople) {
    process.stdout.write(welcome(environment, { url, setupCode }));
    return;
  }
  for (const note of environment.notes) log.warn({}, note);
  const { location } = environment.auth.database;
  log.info({ version, url: served.url, docs: `${url}/docs`, database: location }, `listening on ${served.url}`);
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, resolve);
  });
}

function exitOnNextSignal(): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.removeAllListeners(signal);
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
}

async function close(auth: Auth, log: Log): Promise<void> {
  try {
    await auth.close();
  } catch (error) {
    log.error({ err: error }, "the database could not be closed cleanly");
  }
}
