/** A server with a clock that the scenario turns over HTTP, and which serves the scenario itself to browsers. */
import { createApp, serve } from "@countersign/server";
import { createTestAuth } from "@countersign/server/testing";
import { bundleForBrowsers } from "../../support/bundle.ts";
import { testOptions, testRouter } from "../../support/test-router.ts";

/** The bundled scenario: its own file is `scenario.js`, and the rest is what it loads. */
export async function bundleScenario(): Promise<Readonly<Record<string, string>>> {
  return (await bundleForBrowsers(new URL("scenario.ts", import.meta.url), "esm")).files;
}

/** Serves the API, `/later`, `/page`, and files by their names. Ends with its block. */
export async function serveScenario(files: Readonly<Record<string, string>> = {}) {
  const test = await createTestAuth(testOptions);
  const app = createApp(test.auth, { router: testRouter });

  async function answer(request: Request, env: object): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/later") {
      await test.clock.advance({ minutes: 16 });
      return new Response("later");
    }
    if (pathname === "/page") return file("<!doctype html><title>Test</title>", "text/html");
    const code = files[pathname.slice(1)];
    return code === undefined ? app.fetch(request, env) : file(code, "text/javascript");
  }

  const served = await serve({ fetch: answer as typeof app.fetch }, { port: 0, host: "127.0.0.1" });
  return {
    url: served.url,
    async [Symbol.asyncDispose]() {
      await served.close({ drainMs: 0 });
      await test[Symbol.asyncDispose]();
    },
  };
}

function file(body: string, type: string): Response {
  return new Response(body, { headers: { "content-type": `${type}; charset=utf-8` } });
}
