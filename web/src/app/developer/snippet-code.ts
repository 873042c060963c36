/** Code with a server's real values in it. `tests/docs` compiles what it makes. */
export interface SnippetFacts {
  readonly origin: string;
  readonly issuer: string;
  readonly audience: string;
  readonly username: string;
}

const text = (value: string) => JSON.stringify(value);

/** For a browser, or a script. */
export function clientCode({ origin, username }: SnippetFacts): string {
  return `import { createAuthClient } from "@countersign/client";
import type { AppRouter } from "./router.ts";

const auth = createAuthClient<AppRouter>({ url: ${text(`${origin}/trpc`)} });
await auth.login({ username: ${text(username)}, password: prompt("Password") ?? "" });
console.log(await auth.trpc.auth.me.query());`;
}

/** The password is typed, and ended with Ctrl-D: it is in no history. */
export function curlCode({ origin, username }: SnippetFacts): string {
  return `curl ${origin}/token --data-urlencode username=${quoted(username)} --data-urlencode password@-`;
}

export function testCode({ username }: SnippetFacts): string {
  return `import { createTestAuth } from "@countersign/server/testing";
import { expect, it } from "vitest";
import { auth } from "./auth.ts";

it("knows who calls", async () => {
  await using test = await createTestAuth(auth.options);
  const caller = test.auth.router.createCaller(await test.asUser(${text(username)}));
  expect(await caller.me()).toMatchObject({ username: ${text(username)} });
});`;
}

export function verifierCode({ origin, issuer, audience }: SnippetFacts): string {
  return `import { createVerifier } from "@countersign/server/verifier";

const verifier = createVerifier({
  issuer: ${text(issuer)},
  audience: ${text(audience)},
  jwksUri: ${text(`${origin}/.well-known/jwks.json`)},
});
export const principalOf = (request: Request) => verifier.verifyRequest(request);`;
}

/** For a shell. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
