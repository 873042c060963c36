/** Pages of other origins than the server's, and what each of them has a browser send. */
import type { BrowserContext, Frame, Page } from "playwright-core";
import { expect } from "vitest";
import { type Attempt, attack } from "./attempts.ts";
import type { Websites } from "./websites.ts";

interface ForeignPage {
  /** Of the same site as the server, so that the browser lets its session come along. */
  readonly isSameSite: boolean;
  /** @param scheme The server's. */
  open(context: BrowserContext, scheme: string): Promise<Page | Frame>;
}

/** Those of the server `app.victim.test`. */
export const foreignPages = {
  "another site": { isSameSite: false, open: (context, scheme) => open(context, `${scheme}//evil.test`) },
  "a neighbour of its host": {
    isSameSite: true,
    open: (context, scheme) => open(context, `${scheme}//evil.victim.test`),
  },
  "another port of its host": {
    isSameSite: true,
    open: (context, scheme) => open(context, `${scheme}//app.victim.test:8443`),
  },
  "a neighbour that does not say who it is": { isSameSite: true, open: openWithoutReferrer },
  "a frame in a sandbox": { isSameSite: false, open: openSandbox },
} as const satisfies Readonly<Record<string, ForeignPage>>;

export async function open(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** Its forms say that their origin is `null`. */
async function openWithoutReferrer(context: BrowserContext, scheme: string): Promise<Page> {
  const page = await open(context, `${scheme}//evil.victim.test`);
  await page.evaluate(() => {
    document.head.append(Object.assign(document.createElement("meta"), { name: "referrer", content: "no-referrer" }));
  });
  return page;
}

/** All that it sends says so. */
async function openSandbox(context: BrowserContext, scheme: string): Promise<Frame> {
  const page = await open(context, `${scheme}//evil.victim.test`);
  await page.evaluate(() => {
    const frame = Object.assign(document.createElement("iframe"), { srcdoc: "<!doctype html><title>Attack</title>" });
    frame.setAttribute("sandbox", "allow-scripts allow-forms allow-popups");
    document.body.append(frame);
  });
  const frame = await page.locator("iframe").elementHandle();
  return (await frame?.contentFrame()) ?? expect.fail("no frame");
}

/** Makes attempts, and waits until the server has answered them all. What the page itself is given of that is in `read`. */
export async function makeAll(place: Page | Frame, attempts: readonly Attempt[], { exchanges }: Websites) {
  exchanges.length = 0;
  const read = await place.evaluate(attack, attempts);
  const unanswered = () => attempts.filter(({ url }) => !exchanges.some((exchange) => exchange.url.href === url));
  await expect.poll(unanswered, { timeout: 30_000 }).toEqual([]);
  const sent = new Set(attempts.map(({ url }) => url));
  return { read, answers: exchanges.filter(({ url }) => sent.has(url.href)) };
}
