/** Sign-ins whose session a cookie names, and how they end. */
import type { LogoutInput, RevokedCount, SignedInSession } from "@countersign/shared/schemas";
import { toUser } from "../flows/accounts/account.ts";
import type { StartedSession } from "../flows/sessions/issue-tokens.ts";
import { logout } from "../flows/sessions/logout.ts";
import { revoke } from "../flows/sessions/revoke.ts";
import type { RequestAuth } from "./context.ts";

/**
 * Signs in by `start`, and lets the reply set the session's cookie. The session that the cookie named before ends: a
 * browser has one at a time, and nobody may have known its value (ASVS 5.0 7.2.4).
 *
 * @throws {AuthError} `ORIGIN_NOT_ALLOWED` for another website's page, `BAD_REQUEST` where no cookie can be set.
 */
export async function signInByCookie(
  { deps, caller, cookie, principal }: RequestAuth,
  start: () => Promise<StartedSession>,
): Promise<SignedInSession> {
  // Before anything is written: where no cookie can be set, nobody could use the session.
  cookie.requireWritable();
  const before = cookie.read() === null ? null : await principal().catch(() => null);
  const { session, account, accessToken } = await start();
  cookie.write(deps.sessionCookies.make(session));
  if (before !== null) await revoke(deps, { id: before.sessionId }, { reason: "replaced", caller });
  return {
    id: session.id,
    user: toUser(account),
    scopes: [...accessToken.scopes],
    authTime: new Date(session.auth_time),
    expiresAt: new Date(session.expires_at),
  };
}

/** Ends the session of a refresh token, a bearer token or the cookie, and takes the cookie away. */
export async function signOut(auth: RequestAuth, input: LogoutInput): Promise<RevokedCount> {
  const named = input.refreshToken === undefined && auth.cookie.read() !== null;
  try {
    return await logout(auth.deps, input, auth);
  } finally {
    if (named) auth.cookie.write(null);
  }
}
