/** `GET /metrics`: counts and durations for Prometheus. Of what callers sent, only names that we know become labels. */
import { Hono } from "hono";
import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Deps } from "../deps.ts";
import type { AnsweredRequest } from "./every-request.ts";

/** The metrics of one app. */
export interface Metrics {
  /** Counts a request, and how long it took. */
  count(answered: AnsweredRequest): void;
  readonly routes: Hono;
}

const knownMethods = new Set(["GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"]);

export function createMetrics(start: () => Promise<Deps>): Metrics {
  const registry = new Registry();
  const durations = new Histogram({
    name: "countersign_http_request_duration_seconds",
    help: "How long requests took, and how many there were.",
    labelNames: ["method", "route", "status"],
    registers: [registry],
  });
  let gauges: ReturnType<typeof makeGauges> | undefined;

  return {
    count(answered) {
      const { method, status, milliseconds } = answered;
      const labels = { method: knownMethods.has(method) ? method : "other", route: labelOf(answered), status };
      durations.observe(labels, milliseconds / 1_000);
    },
    routes: new Hono().get("/metrics", async (context) => {
      gauges ??= makeGauges(registry);
      await gauges.read(start);
      return context.body(await registry.metrics(), 200, {
        "content-type": registry.contentType,
        "cache-control": "no-store",
      });
    }),
  };
}

/** The pattern of the route, and the procedure's name where one was called by itself. */
function labelOf({ route, procedures = [] }: AnsweredRequest): string {
  return procedures.length === 1 ? `/trpc/${procedures[0]}` : route;
}

/** Made when somebody reads them: the process's own cost an observer each, which an app that nobody reads does not need. */
function makeGauges(registry: Registry) {
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const feedAge = new Gauge({
    name: "countersign_feed_age_seconds",
    help: "How long ago the feed of revocations was last read.",
    registers,
  });
  const hashes = new Gauge({
    name: "countersign_password_hashes",
    help: "Password hashes that run or wait.",
    registers,
  });
  const subscriptions = new Gauge({
    name: "countersign_subscriptions",
    help: "Subscriptions of signed-in callers that are open.",
    registers,
  });
  return {
    async read(start: () => Promise<Deps>): Promise<void> {
      const deps = await start().catch(() => null);
      feedAge.set(deps === null ? Number.NaN : deps.feed.age() / 1_000);
      subscriptions.set(deps === null ? 0 : deps.feed.listeners());
      hashes.set(deps === null ? 0 : deps.hasher.load());
    },
  };
}
