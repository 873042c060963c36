/** Many tabs of one origin, on a network that is slow and loses replies. */
import type { BrowserContext, Page } from "playwright-core";
import { expect, it } from "vitest";
import { skipWithoutBrowser, startBrowser } from "../support/browser.ts";
import { password } from "../support/test-app.ts";
import { inPage, servePages, slowDown } from "./pages.ts";

await skipWithoutBrowser();

const alice = { username: "alice", password };
const accessTtlSeconds = 2;

async function openTabs(context: BrowserContext, url: string, count: number): Promise<Page[]> {
  const first = await openTab(context, url);
  await inPage(first, ({ auth }, input) => auth.register(input).then(() => {}), alice);
  const others = await Promise.all(Array.from({ length: count - 1 }, () => openTab(context, url)));
  return [first, ...others];
}

async function openTab(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${url}/page?storage=localStorage`);
  return page;
}

it("twenty tabs refresh once for each expiry, and nobody notices", { timeout: 180_000 }, async () => {
  await using server = await servePages({ accessTtlSeconds, clockToleranceSeconds: 0 });
  await using browser = await startBrowser();
  const context = await browser.newContext();
  const tabs = await openTabs(context, server.url, 20);
  let refreshes = 0;
  let lost = 0;
  await slowDown(context, {
    latencyMs: 300,
    isLost(path) {
      if (!path.endsWith("auth.refresh")) return false;
      refreshes += 1;
      const isThis = refreshes % 3 === 0;
      if (isThis) lost += 1;
      return isThis;
    },
  });
  const startedAt = performance.now();
  const reports = await Promise.all(tabs.map((tab) => inPage(tab, ({ run }, ms) => run(ms, 500), 60_000)));
  const seconds = (performance.now() - startedAt) / 1_000;

  const { db } = await server.auth.start();
  const sessions = await db.selectFrom("sessions").select(["generation", "revoked_at"]).execute();
  expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
  expect(new Set(reports.map(({ status }) => status))).toEqual(new Set(["signed-in"]));
  expect(reports.flatMap(({ events }) => events)).not.toContain("signed-out");
  expect(sessions).toEqual([{ generation: expect.any(Number), revoked_at: null }]);
  const generation = sessions[0]?.generation ?? 0;
  // Each refresh was asked for once, and once more where its reply was lost.
  expect(refreshes - lost).toBe(generation);
  // A token's times are whole seconds, so one of two seconds lives for more than one, and is replaced at nine tenths.
  expect(generation).toBeLessThanOrEqual(Math.ceil(seconds / 0.9));
  expect(generation).toBeGreaterThan(10);
  expect(Math.min(...reports.map(({ calls }) => calls))).toBeGreaterThan(10);
});

it("tabs of a browser without locks and channels are not signed out either", { timeout: 60_000 }, async () => {
  await using server = await servePages({ accessTtlSeconds, clockToleranceSeconds: 0 });
  await using browser = await startBrowser();
  const context = await browser.newContext();
  await context.addInitScript(() => {
    Object.defineProperty(navigator, "locks", { value: undefined });
    Object.defineProperty(window, "BroadcastChannel", { value: undefined });
  });
  const tabs = await openTabs(context, server.url, 5);
  await slowDown(context, { latencyMs: 100 });
  const reports = await Promise.all(tabs.map((tab) => inPage(tab, ({ run }, ms) => run(ms, 200), 10_000)));
  expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
  expect(new Set(reports.map(({ status }) => status))).toEqual(new Set(["signed-in"]));
  const [first, second] = tabs;
  if (first === undefined || second === undefined) return expect.fail("no tabs");
  await inPage(first, ({ auth }) => auth.logout(), null);
  await expect
    .poll(() => inPage(second, ({ auth }) => auth.session, null), { timeout: 1_000 })
    .toEqual({
      status: "signed-out",
      reason: "SIGNED_OUT",
    });
});
