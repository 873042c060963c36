import { AuthError, type Principal } from "@countersign/shared";
import { readBearer } from "../../crypto/bearer.ts";
import type { Deps } from "../../deps.ts";
import { findSession } from "../../store/sessions.ts";
import { findAccount } from "../accounts/account.ts";

/**
 * What an `Authorization` header proves, if the token's session and account still stand; `null` when it carries no bearer
 * token. No I/O while the feed is followed.
 *
 * @throws {AuthError} `TOKEN_INVALID`, `TOKEN_EXPIRED`, `SESSION_REVOKED`, `UNAVAILABLE`
 */
export async function resolvePrincipal(deps: Deps, authorization: string | null): Promise<Principal | null> {
  const accessToken = readBearer(authorization);
  if (accessToken === null) return null;
  const principal = await deps.accessTokens.verify(accessToken);
  const objection = deps.feed.objectionTo(principal);
  if (objection !== null) throw new AuthError(objection);
  if (deps.feed.isStale()) await askTheDatabase(deps, principal);
  return principal;
}

/** The feed is behind, so memory may be wrong: the rows decide, or the policy when there is no database. */
async function askTheDatabase(deps: Deps, principal: Principal): Promise<void> {
  try {
    await checkRows(deps, principal);
  } catch (error) {
    const isDown = error instanceof AuthError && error.reason === "UNAVAILABLE";
    if (!isDown || deps.settings.onStoreDown === "closed") throw error;
  }
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
