import { expect, test } from "vitest";
import { createTestAuth } from "../testing.ts";
import { type App, createApp } from "./app.ts";

const scrape = async (app: App) => (await app.request("/metrics")).text();

/** How many requests were counted, by `method route status`. */
async function counts(app: App): Promise<Record<string, number>> {
  const lines = (await scrape(app)).matchAll(
    /^countersign_http_request_duration_seconds_count\{method="(.*?)",route="(.*?)",status="(\d+)"\} (\d+)$/gm,
  );
  return Object.fromEntries(
    [...lines].map(([, method, route, status, n]) => [`${method} ${route} ${status}`, Number(n)]),
  );
}

test("requests are counted by route, and procedures by name", async () => {
  await using subject = await createTestAuth();
  const app = createApp(subject.auth);
  await app.request("/healthz");
  await app.request("/users/me");
  await app.request("/trpc/auth.session");
  await app.request("/trpc/auth.session");
  await app.request("/trpc/auth.me");
  await app.request("/trpc/auth.session,auth.me?batch=1");
  expect(await counts(app)).toEqual({
    "GET /healthz 200": 1,
    "GET /users/me 401": 1,
    "GET /trpc/auth.session 200": 2,
    "GET /trpc/auth.me 401": 1,
    "GET /trpc/* 207": 1,
  });
});

test("nothing that a caller made up becomes a label", async () => {
  await using subject = await createTestAuth();
  const app = createApp(subject.auth);
  for (const made of ["up", "down"]) {
    await app.request(`/${made}`);
    await app.request(`/trpc/${made}`);
    await app.request(`/docs/${made}/${made}`);
    await app.request("/healthz", { method: made.toUpperCase() });
  }
  expect(await counts(app)).toEqual({
    "GET none 404": 2,
    "GET /trpc/* 404": 2,
    "GET /docs/:version/:file 404": 2,
    "other none 405": 2,
  });
});

test("the feed's age and the waiting hashes are read when asked for", async () => {
  await using subject = await createTestAuth();
  const app = createApp(subject.auth);
  const { feed } = await subject.auth.start();
  await feed.catchUp();
  const text = await scrape(app);
  expect(text).toMatch(/^countersign_feed_age_seconds 0$/m);
  expect(text).toMatch(/^countersign_password_hashes \d+$/m);
  expect(text).toMatch(/^countersign_subscriptions 0$/m);
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
});

test("a server without its database still answers", async () => {
  await using subject = await createTestAuth();
  const app = createApp({ ...subject.auth, start: () => Promise.reject<never>(new Error("the disk is gone")) });
  expect(await scrape(app)).toMatch(/^countersign_feed_age_seconds Nan$/m);
});

test("apps count apart", async () => {
  await using subject = await createTestAuth();
  await createApp(subject.auth).request("/healthz");
  expect(await counts(createApp(subject.auth))).toEqual({});
});
