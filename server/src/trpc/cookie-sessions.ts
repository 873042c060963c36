/** Sign-ins whose session a cookie names, and how they end. */
import { AuthError } from "@countersign/shared";
import type { LogoutInput, RevokedCount, SessionId, SignedInSession } from "@countersign/shared/schemas";
import { toUser } from "../flows/accounts/account.ts";
import type { StartedSession } from "../flows/sessions/issue-tokens.ts";
import { logout } from "../flows/sessions/logout.ts";
import { resolvePrincipal } from "../flows/sessions/resolve-principal.ts";
import { revoke } from "../flows/sessions/revoke.ts";
import type { RequestAuth } from "./context.ts";

/**
 * Signs in by `start`, and lets the reply set the session's cookie. The session that the cookie named before ends: a
 * browser has one at a time, and nobody may have known its value (ASVS 5.0 7.2.4).
 *
 * @throws {AuthError} `ORIGIN_NOT_ALLOWED` for another website's page, `BAD_REQUEST` where no cookie can be set.
 */
export async function signInByCookie(
  auth: RequestAuth,
  start: () => Promise<StartedSession>,
): Promise<SignedInSession> {
  const { deps, caller, cookie } = auth;
  // Before anything is written: where no cookie can be set, nobody could use the session.
  cookie.requireWritable();
  const before = await sessionOfCookie(auth);
  const { session, account, accessToken } = await start();
  if (before !== null) await revoke(deps, { id: before }, { reason: "replaced", caller });
  // Last: a reply that says that it failed must not sign anybody in.
  cookie.write(deps.sessionCookies.make(session));
  return {
    id: session.id,
    user: toUser(account),
    scopes: [...accessToken.scopes],
    authTime: new Date(session.auth_time),
    expiresAt: new Date(session.expires_at),
  };
}

/** Ends the session of a refresh token, a bearer token or the cookie, and takes the cookie away with its session. */
export async function signOut(auth: RequestAuth, input: LogoutInput): Promise<RevokedCount> {
  const isByCookie = input.refreshToken === undefined && auth.cookie.read() !== null;
  if (!isByCookie) return logout(auth.deps, input, auth);
  auth.cookie.requireWritable();
  try {
    const ended = await logout(auth.deps, input, auth);
    auth.cookie.write(null);
    return ended;
  } catch (error) {
    // It is worth nothing. After a failure it stays, so that the next try finds the session.
    if (isRefusal(error)) auth.cookie.write(null);
    throw error;
  }
}

/** The session that the cookie names, if it still stands. */
async function sessionOfCookie({ deps, caller, cookie }: RequestAuth): Promise<SessionId | null> {
  try {
    const principal = await resolvePrincipal(deps, { authorization: null, cookie: cookie.read, account: null }, caller);
    return principal?.sessionId ?? null;
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof AuthError && error.status < 500;
}
