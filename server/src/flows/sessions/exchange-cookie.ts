import { AuthError } from "@countersign/shared";
import { parseSessionCookie } from "../../crypto/session-cookie.ts";
import type { Caller, Deps } from "../../deps.ts";
import type { SessionRow } from "../../store/schema.ts";
import { findSession, prolongSession } from "../../store/sessions.ts";
import { issueAccessToken } from "./issue-tokens.ts";
import { prolongAfterMs } from "./prolong.ts";
import { requireGood, requireLiveAccount } from "./refresh.ts";

/** An access token, and until when (epoch milliseconds) this node may hold it for the cookie. */
export interface ExchangedCookie {
  readonly accessToken: string;
  readonly goodUntil: number;
}

/**
 * The access token that a session cookie stands for, and the session's use noted: what a refresh is for the holder of
 * tokens. The browser keeps the cookie as it is, so nothing can be lost or raced for.
 *
 * @throws {AuthError} `TOKEN_INVALID`, `SESSION_REVOKED`, `TOKEN_EXPIRED`, `ACCOUNT_DISABLED`
 */
export async function exchangeCookie(deps: Deps, cookie: string, caller: Caller): Promise<ExchangedCookie> {
  const session = await findSessionOf(deps, cookie);
  const account = await requireLiveAccount(deps, session, caller);
  const { accessToken, expiresAt } = await issueAccessToken(deps, session, account);
  const now = deps.now();
  const prolongAfter = prolongAfterMs(deps);
  let endsAt = session.expires_at;
  if (now - session.rotated_at >= prolongAfter) {
    endsAt = Math.min(now + deps.settings.refreshTtlSeconds * 1_000, session.ends_at);
    await prolongSession(deps.db, { id: session.id, now, expiresAt: endsAt });
  }
  return { accessToken: await accessToken, goodUntil: Math.min(expiresAt.getTime(), now + prolongAfter, endsAt) };
}

async function findSessionOf(deps: Deps, cookie: string): Promise<SessionRow> {
  const presented = parseSessionCookie(cookie);
  if (presented === null) throw new AuthError("TOKEN_INVALID");
  const session = await findSession(deps.db, presented.sessionId);
  if (session === null || !deps.sessionCookies.isAuthentic(presented, session.salt))
    throw new AuthError("TOKEN_INVALID");
  requireGood(deps, session);
  return session;
}
