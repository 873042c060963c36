import { AuthError, type Principal } from "@countersign/shared";
import { readBearer } from "../../crypto/bearer.ts";
import type { Caller, Deps } from "../../deps.ts";
import { findSession } from "../../store/sessions.ts";
import { findAccount } from "../accounts/account.ts";
import { exchangeCookie } from "./exchange-cookie.ts";

/** What a request brings to say who sent it. */
export interface Credentials {
  readonly authorization: string | null;
  /**
   * The session cookie's value, if there is one.
   *
   * @throws {AuthError} `ORIGIN_NOT_ALLOWED` when another website's page sent it along with a change.
   */
  readonly cookie: () => string | null;
  /** Whose call it is meant to be, where a page that trusts a cookie says so; `null` for whose ever the cookie is. */
  readonly account: string | null;
}

/** At once where nothing has to be waited for: each promise on the way of a signed-in call is a part of what it takes. */
type Resolved<T> = T | Promise<T>;

/**
 * Who sent a request, if the session and the account still stand; `null` when it carries neither a bearer token nor a
 * session cookie. No I/O while the feed is followed, but once an access token's lifetime for each cookie.
 *
 * @throws {AuthError} `TOKEN_INVALID`, `TOKEN_EXPIRED`, `SESSION_REVOKED`, `UNAVAILABLE`; with a cookie also
 *   `ORIGIN_NOT_ALLOWED`, `SESSION_REUSED`, `ACCOUNT_DISABLED`
 */
export function resolvePrincipal(
  deps: Deps,
  { authorization, cookie, account }: Credentials,
  caller: Caller,
): Resolved<Principal | null> {
  const accessToken = readBearer(authorization);
  if (accessToken !== null) return prove(deps, accessToken);
  const presented = cookie();
  return presented === null ? null : proveCookieOf(deps, presented, { account, caller });
}

async function proveCookieOf(
  deps: Deps,
  presented: string,
  { account, caller }: { readonly account: string | null; readonly caller: Caller },
): Promise<Principal> {
  const principal = await proveByCookie(deps, presented, caller);
  // Another tab has signed in as another: this page must not act in their name.
  if (account !== null && account !== principal.accountId) throw new AuthError("SESSION_REVOKED");
  return principal;
}

async function proveByCookie(deps: Deps, cookie: string, caller: Caller): Promise<Principal> {
  const held = deps.heldTokens.get(cookie, deps.now());
  try {
    if (held !== null) return await prove(deps, held);
  } catch (error) {
    // The account moved on, or the key was replaced: the session still stands for what is so now.
    if (!isAboutToken(error)) throw error;
  }
  try {
    return await proveAnew(deps, cookie, caller);
  } catch (error) {
    // It may do so again while the cookie is exchanged. What is about the cookie itself is the same the second time.
    if (!isAboutToken(error)) throw error;
    return proveAnew(deps, cookie, caller);
  }
}

async function proveAnew(deps: Deps, cookie: string, caller: Caller): Promise<Principal> {
  const { accessToken, goodUntil } = await exchangeCookie(deps, cookie, caller);
  const principal = await prove(deps, accessToken);
  // Only now: what was refused must not be held until it is forgotten why.
  deps.heldTokens.set(cookie, accessToken, goodUntil);
  return principal;
}

function isAboutToken(error: unknown): boolean {
  return error instanceof AuthError && (error.reason === "TOKEN_EXPIRED" || error.reason === "TOKEN_INVALID");
}

function prove(deps: Deps, accessToken: string): Resolved<Principal> {
  const at = deps.now();
  const verified = deps.accessTokens.verify(accessToken, at);
  return verified instanceof Promise
    ? verified.then((principal) => stillTrue(deps, principal))
    : stillTrue(deps, verified, at);
}

/** A token that is good says what was so when it was made. */
function stillTrue(deps: Deps, principal: Principal, at = deps.now()): Resolved<Principal> {
  const objection = deps.feed.objectionTo(principal);
  if (objection !== null) throw new AuthError(objection);
  if (!deps.feed.isFollowed()) throw new AuthError("UNAVAILABLE", { retryAfter: 1 });
  return deps.feed.isStale(at) ? askTheDatabase(deps, principal) : principal;
}

/** The feed is behind, so memory may be wrong: the rows decide, or the policy when there is no database. */
async function askTheDatabase(deps: Deps, principal: Principal): Promise<Principal> {
  try {
    await deps.breaker(() => checkRows(deps, principal));
  } catch (error) {
    const isDown = error instanceof AuthError && error.reason === "UNAVAILABLE";
    if (!isDown || deps.settings.onStoreDown === "closed") throw error;
  }
  return principal;
}

async function checkRows(deps: Deps, principal: Principal): Promise<void> {
  const session = await findSession(deps.db, principal.sessionId);
  if (session === null || session.revoked_at !== null) throw new AuthError("SESSION_REVOKED");
  const account = await findAccount(deps, principal.accountId);
  if (account === null || account.version > principal.version) throw new AuthError("TOKEN_EXPIRED");
}

/** Makes sure of a principal while the feed is behind, whatever the policy. @throws {AuthError} `SESSION_REVOKED`, `TOKEN_EXPIRED`, `UNAVAILABLE` */
export async function confirmPrincipal(deps: Deps, principal: Principal): Promise<void> {
  if (deps.feed.isStale()) await checkRows(deps, principal);
}
