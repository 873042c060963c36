import { createRequestClient } from "@countersign/client";
import { describe, expect, it } from "vitest";
import { cookieJar } from "../support/cookie-jar.ts";
import { expectReason } from "../support/expect-reason.ts";
import { createNetwork } from "../support/network.ts";
import { signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import type { TestRouter } from "../support/test-router.ts";

/** What a browser sends with a request for a page. */
async function visitor(app: TestApp, username: string) {
  const jar = cookieJar();
  await jar.fetch(`${app.url}/trpc/auth.cookie.register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ json: { username, password } }),
  } as never);
  const cookie = [...jar.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  return (headers: Record<string, string> = {}) =>
    new Request("http://localhost:5173/notes", { headers: { cookie: `theme=dark; ${cookie}; other=1`, ...headers } });
}

const clientFor = (app: TestApp, request: Request, fetch = createNetwork().fetch) =>
  createRequestClient<TestRouter>({ url: `${app.url}/trpc`, request, fetch });

describe("the client of one request", () => {
  it("calls as its visitor, by cookie or by bearer token", async () => {
    await using app = await testApp();
    const request = await visitor(app, "alice");
    expect(await clientFor(app, request()).whoami.query()).toMatchObject({ username: "alice" });
    const { accessToken } = await signUp(app, "bob");
    const bearer = new Request("http://localhost:5173/", { headers: { authorization: `Bearer ${accessToken}` } });
    expect(await clientFor(app, bearer).whoami.query()).toMatchObject({ username: "bob" });
    expect(await clientFor(app, new Request("http://localhost:5173/")).auth.session.query()).toBeNull();
  });

  it("sends nothing else of the visitor's request", async () => {
    await using app = await testApp();
    const request = await visitor(app, "alice");
    const sent: Headers[] = [];
    const client = createRequestClient<TestRouter>({
      url: `${app.url}/trpc`,
      request: request({ "x-secret": "1", referer: "https://x.example/?token=1" }),
      fetch(input, init) {
        sent.push(new Headers(init?.headers as HeadersInit));
        return fetch(input as string, init as RequestInit);
      },
    });
    await client.whoami.query();
    expect(Object.fromEntries(sent[0] ?? [])).toEqual({ cookie: expect.stringMatching(/^countersign=v1\.[\w-]+$/) });
  });

  it("changes things for a page of the application alone", async () => {
    await using app = await testApp();
    const request = await visitor(app, "alice");
    const own = clientFor(app, request({ "sec-fetch-site": "same-origin" }));
    expect(await own.write.mutate({ text: "hello" })).toBe("hello");
    for (const site of ["cross-site", "same-site", "none"]) {
      const foreign = clientFor(app, request({ "sec-fetch-site": site, origin: "https://evil.example" }));
      await expectReason(foreign.write.mutate({ text: "hello" }), "ORIGIN_NOT_ALLOWED");
    }
    await expectReason(clientFor(app, request()).write.mutate({ text: "hello" }), "ORIGIN_NOT_ALLOWED");
  });

  it("is nobody else's, for a thousand requests of fifty people at once", { timeout: 60_000 }, async () => {
    await using app = await testApp({ limits: { registrationsPerAddress: 100 } });
    const people = Array.from({ length: 50 }, (_, index) => `user${index}`);
    const requests = await Promise.all(people.map((username) => visitor(app, username)));
    const answers = Array.from({ length: 1_000 }, async (_, index) => {
      const request = requests[index % 50]?.();
      if (request === undefined) return expect.fail("nobody");
      const client = clientFor(app, request);
      const [me, session] = await Promise.all([client.whoami.query(), client.auth.session.query()]);
      return [me.username, session?.user.username];
    });
    const expected = Array.from({ length: 1_000 }, (_, index) => [people[index % 50], people[index % 50]]);
    expect(await Promise.all(answers)).toEqual(expected);
  });
});
