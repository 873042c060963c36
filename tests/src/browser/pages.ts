/** A server of real time, with a page of its own origin on which a client runs, and a network between them. */
import { setTimeout as sleep } from "node:timers/promises";
import { type AuthOptions, createApp, createAuth, serve } from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import type { BrowserContext, Page } from "playwright-core";
import { bundleForBrowsers } from "../support/bundle.ts";
import { capturedLog } from "../support/captured-log.ts";
import { testOptions, testRouter } from "../support/test-router.ts";
import type { TestPage } from "./page-client.ts";

/** Serves `/page` and the API. Ends with its block. */
export async function servePages(
  options: Partial<AuthOptions> = {},
  { page = new URL("./page-client.ts", import.meta.url), ...appOptions }: { origins?: string[]; page?: URL } = {},
) {
  const { log } = capturedLog();
  const cheap = { memoryKiB: 8, iterations: 1, parallelism: 1 };
  const auth = createAuth({ ...testOptions, log, database: sqlite(":memory:"), passwordHashing: cheap, ...options });
  const app = createApp(auth, { router: testRouter, ...appOptions });
  const { code } = await bundleForBrowsers(page, "iife");
  const sent: string[] = [];
  const written: string[] = [];

  async function answer(request: Request, env: object): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/page")
      return html("<!doctype html><title>Test</title><link rel=icon href=data:,><body><script src=/page.js></script>");
    if (pathname === "/page.js") return new Response(code, { headers: { "content-type": "text/javascript" } });
    if (pathname === "/blank") return html("<!doctype html><title>Blank</title>");
    sent.push(pathname);
    const reply = await app.fetch(request, env);
    if (pathname.endsWith("/write") && reply.status === 200) written.push(await textIn(reply));
    return reply;
  }

  const served = await serve({ fetch: answer as typeof app.fetch }, { port: 0, host: "127.0.0.1" });
  return {
    auth,
    /** Paths of the API that were called. */
    sent,
    /** What the procedure `write` was given. */
    written,
    url: served.url.replace("127.0.0.1", "localhost"),
    async [Symbol.asyncDispose]() {
      await served.close({ drainMs: 0 });
      await auth.close();
    },
  };
}

/** The answer of `write`, which is what it was given. */
async function textIn(reply: Response): Promise<string> {
  const body: unknown = await reply.clone().json();
  const [answer] = Array.isArray(body) ? body : [body];
  return answer.result.data.json;
}

function html(body: string): Response {
  return new Response(body, { headers: { "content-type": "text/html; charset=utf-8" } });
}

/**
 * Slows the API down, and loses replies once the server has done its work. It does so in the browser, before a connection
 * is taken: six connections, which is all that HTTP/1.1 gives to twenty tabs, would be another test.
 */
export async function slowDown(
  context: BrowserContext,
  { latencyMs, isLost = () => false }: { latencyMs: number; isLost?: (path: string) => boolean },
): Promise<void> {
  await context.route("**/trpc/**", async (route) => {
    // Node closes a connection that was idle, and who writes into it at that moment has to write again. Whoever closes the
    // page waits for no reply.
    const response = await route.fetch({ maxRetries: 3 }).catch(() => null);
    await sleep(latencyMs);
    const { pathname } = new URL(route.request().url());
    await (response === null || isLost(pathname) ? route.abort() : route.fulfill({ response })).catch(() => {});
  });
}

/** Does `work` in a page, with what its script has made. */
export function inPage<Input, Output>(
  page: Page,
  work: (testPage: TestPage, input: Input) => Output | Promise<Output>,
  input: Input,
): Promise<Output> {
  const call = `(input) => (${work})(window.page, input)`;
  // Playwright sends the function's text; the page's script has made what it works on.
  return page.evaluate(
    new Function("input", `return (${call})(input)`) as (input: Input) => Promise<Output>,
    input as never,
  );
}
