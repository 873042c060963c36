/** What runs on every JavaScript runtime: the client and the verifier, against a server that is somewhere else. */
import { createAuthClient, isAuthError } from "@countersign/client";
import { createVerifier } from "@countersign/server/verifier";
import type { AppRouter } from "./server.ts";

export const clientOf = (url: string) => createAuthClient<AppRouter>({ url: `${url}/trpc` });

/** Registers, signs in, calls a protected procedure and verifies the token, and tells what it saw. */
export async function signIn(url: string, username: string) {
  const password = "correct horse battery staple";
  const client = clientOf(url);
  await client.register({ username, password });
  await client.login({ username, password });
  const { region, claims } = await client.trpc.whoAmI.query();
  await client.logout();

  const { accessToken } = await client.trpc.auth.login.mutate({ username, password });
  const verifier = createVerifier({
    issuer: "https://notes.example",
    audience: "https://notes.example",
    jwksUri: `${url}/.well-known/jwks.json`,
  });
  const principal = await verifier.verify(accessToken);
  return {
    username: principal.username,
    region,
    team: claims.team,
    refusal: await reasonOf(client.trpc.whoAmI.query()),
  };
}

async function reasonOf(call: Promise<unknown>) {
  try {
    await call;
    return null;
  } catch (error) {
    return isAuthError(error) ? error.data.reason : String(error);
  }
}
