import type { Auth } from "@countersign/server";

export const password = "correct horse battery staple";

/** Signs somebody up, and makes as many access tokens of that session as are wanted. */
export async function signUp(
  auth: Auth,
  { username = "alice", tokens: wanted = 1 }: { username?: string; tokens?: number } = {},
) {
  const caller = auth.router.createCaller(await auth.createContext({ req: new Request("https://auth.example") }));
  let signedIn = await caller.register({ username, password, email: `${username}@example.com` });
  const tokens = [signedIn.accessToken];
  while (tokens.length < wanted) {
    signedIn = await caller.refresh({ refreshToken: signedIn.refreshToken });
    tokens.push(signedIn.accessToken);
  }
  return { accessToken: signedIn.accessToken, refreshToken: signedIn.refreshToken, tokens };
}
