/** A served application with real sockets, a real database and the real client; only clock, randomness and cost are a test's. */
import { type AuthClient, createAuthClient } from "@countersign/client";
import { type AppOptions, createApp, serve } from "@countersign/server";
import { createTestAuth, type TestAuth } from "@countersign/server/testing";
import { expect } from "vitest";
import { testDatabase } from "./test-database.ts";
import { type TestRouter, testOptions, testRouter } from "./test-router.ts";
import { watchForUndeclared } from "./undeclared-reasons.ts";

export type Client = AuthClient<TestRouter>;

export interface TestApp extends TestAuth {
  /** Where it listens. */
  readonly url: string;
  /** A client of its own: another tab, another device. */
  client(fetch?: Parameters<typeof createAuthClient>[0]["fetch"]): Client;
  /** A plain request: path, and `fetch`'s options. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** A tRPC call as it goes over the wire, for what the typed client cannot send. */
  call(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

type AuthOptions = Parameters<typeof createTestAuth>[0];

/** The password of everyone in tests. */
export const password = "correct horse battery staple";

/** Serves the test router. Ends with its block: `await using app = await testApp()`. */
export async function testApp(
  options: AuthOptions = {},
  {
    app: appOptions = {},
    ...replaced
  }: Parameters<typeof createTestAuth>[1] & { app?: Partial<AppOptions<TestRouter>> } = {},
): Promise<TestApp> {
  const test = await createTestAuth({ ...testOptions, ...options }, { database: testDatabase(), ...replaced });
  const app = createApp(test.auth, { router: testRouter, ...appOptions });
  const undeclared = watchForUndeclared(app);
  const served = await serve(app, { port: 0, host: "127.0.0.1" });
  const request = (path: string, init?: RequestInit) => fetch(`${served.url}${path}`, init);
  return {
    ...test,
    url: served.url,
    client: (fetch) => createAuthClient<TestRouter>({ url: `${served.url}/trpc`, ...(fetch && { fetch }) }),
    request,
    call: (path, body, headers = {}) =>
      request(`/trpc/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    async [Symbol.asyncDispose]() {
      await served.close({ drainMs: 0 });
      await test[Symbol.asyncDispose]();
      expect(undeclared(), "refusals that their procedures do not declare").toEqual([]);
    },
  };
}
