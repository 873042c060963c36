/** People of the tests, and what they hold: the tokens that a typed client keeps to itself. */
import { transformer } from "@countersign/shared";
import type { SignedIn } from "@countersign/shared/schemas";
import { createTRPCClient, httpLink, type TRPCClient } from "@trpc/client";
import { type Client, password, type TestApp } from "./test-app.ts";
import type { TestRouter } from "./test-router.ts";

/** Makes an account and signs it in, over no network. */
export function signUp(app: TestApp, username = "alice"): Promise<SignedIn> {
  return app.auth.router.createCaller(app.asNobody()).register({ username, password });
}

/** Signs in, over no network. */
export function signIn(app: TestApp, username = "alice", scope?: string): Promise<SignedIn> {
  return app.auth.router.createCaller(app.asNobody()).login({ username, password, ...(scope && { scope }) });
}

/** Refreshes, over no network. */
export function refresh(app: TestApp, { refreshToken }: SignedIn): Promise<SignedIn> {
  return app.auth.router.createCaller(app.asNobody()).refresh({ refreshToken });
}

/** A bare tRPC client that sends one access token and never refreshes. */
export function bearer(app: TestApp, { accessToken }: Pick<SignedIn, "accessToken">): TRPCClient<TestRouter> {
  const headers = { authorization: `Bearer ${accessToken}` };
  return createTRPCClient<TestRouter>({ links: [httpLink({ url: `${app.url}/trpc`, transformer, headers })] });
}

/** The procedures of `users.*`, called by an administrator. */
export async function administrator(app: TestApp) {
  return app.auth.usersRouter.createCaller(await app.asUser({ username: "root", roles: ["admin"] }));
}

/** `GET /users/me` with an access token. */
export function usersMe(app: TestApp, { accessToken }: Pick<SignedIn, "accessToken">): Promise<Response> {
  return app.request("/users/me", { headers: { authorization: `Bearer ${accessToken}` } });
}

/** A client whose requests come with these forwarded addresses, for an app that trusts 127.0.0.1 as a proxy. */
export function forwarded(app: TestApp, forwardedFor: string): Client {
  return app.client((input, init) =>
    fetch(String(input), {
      ...(init as RequestInit),
      headers: { ...(init?.headers as Record<string, string>), "x-forwarded-for": forwardedFor },
    }),
  );
}
