import { AuthError } from "@countersign/shared";
import type { RefreshInput } from "@countersign/shared/schemas";
import { attemptHash, parseRefreshToken } from "../../crypto/refresh-token.ts";
import type { Caller, Deps } from "../../deps.ts";
import type { SessionRow } from "../../store/schema.ts";
import { findSession, rotateSession } from "../../store/sessions.ts";
import { type Account, findAccount } from "../accounts/account.ts";
import { issueAccessToken, type StartedSession } from "./issue-tokens.ts";
import { revoke } from "./revoke.ts";

/**
 * Exchanges a refresh token for its successor and a new access token (RFC 9700 §4.14.2: rotation).
 *
 * A token whose successor was made less than the grace ago gets the same successor again, so that a lost reply, two tabs
 * or two nodes never fork a session and never sign anyone out. An older one was copied: the session ends.
 *
 * @throws {AuthError} `TOKEN_INVALID`, `TOKEN_EXPIRED`, `SESSION_REVOKED`, `SESSION_REUSED`, `ACCOUNT_DISABLED`
 */
export async function refresh(deps: Deps, input: RefreshInput, caller: Caller): Promise<StartedSession> {
  const session = await findPresentedSession(deps, input.refreshToken);
  const account = await requireLiveAccount(deps, session, caller);
  // Before the rotation: whatever fails here leaves the caller with a token that is still the current one.
  const accessToken = await issueAccessToken(deps, session, account);
  const now = deps.now();
  const expiresAt = Math.min(now + deps.settings.refreshTtlSeconds * 1_000, session.ends_at);
  const { id, generation } = session;
  const rotatedBy = input.attempt === undefined ? null : attemptHash(input.attempt);
  if (await rotateSession(deps.db, { id, generation, now, expiresAt, rotatedBy })) {
    return { session: { ...session, generation: generation + 1 }, account, accessToken };
  }
  return { session: await findSuccessor(deps, { ...session, rotated_by: rotatedBy }, caller), account, accessToken };
}

/** The session that a refresh token names, at the generation that the token names. Nothing is believed before its proof. */
async function findPresentedSession(deps: Deps, refreshToken: string): Promise<SessionRow> {
  const presented = parseRefreshToken(refreshToken);
  if (presented === null) throw new AuthError("TOKEN_INVALID");
  const session = await findSession(deps.db, presented.sessionId);
  if (session === null || !deps.refreshTokens.isAuthentic(presented, session.salt))
    throw new AuthError("TOKEN_INVALID");
  requireGood(deps, session);
  return { ...session, generation: presented.generation };
}

/** @throws {AuthError} `SESSION_REVOKED`, `SESSION_REUSED`, `TOKEN_EXPIRED` */
export function requireGood(deps: Deps, session: SessionRow): void {
  if (session.revoked_at !== null) throw refusalOf(session);
  if (session.expires_at <= deps.now()) throw expired();
}

export async function requireLiveAccount(deps: Deps, session: SessionRow, caller: Caller): Promise<Account> {
  const account = await findAccount(deps, session.account_id);
  if (account !== null && !account.disabled) return account;
  await revoke(deps, { id: session.id }, { reason: "account_disabled", caller });
  throw new AuthError("ACCOUNT_DISABLED");
}

/** The row did not rotate: somebody was faster within the grace, or the token is an old one, or the session ended meanwhile. */
async function findSuccessor(deps: Deps, presented: SessionRow, caller: Caller): Promise<SessionRow> {
  const current = await findSession(deps.db, presented.id);
  if (current === null) throw new AuthError("TOKEN_INVALID");
  if (current.revoked_at !== null) throw refusalOf(current);
  // Nobody was faster, so it was the time: it ran out while the account was looked up.
  if (current.generation === presented.generation) throw expired();
  const isParent = current.generation === presented.generation + 1;
  const isWithinGrace = deps.now() - current.rotated_at <= deps.settings.refreshGraceSeconds * 1_000;
  // Nobody but who asked the first time knows what it was called, and the reply to that was lost.
  const isSameAttempt = presented.rotated_by !== null && presented.rotated_by === current.rotated_by;
  if (isParent && (isWithinGrace || isSameAttempt)) return current;
  await revoke(deps, { id: current.id }, { reason: "reuse_detected", caller, audit: "refresh_reused" });
  throw new AuthError("SESSION_REUSED");
}

function expired(): AuthError {
  return new AuthError("TOKEN_EXPIRED", undefined, "The session has expired. Sign in again.");
}

function refusalOf(session: SessionRow): AuthError {
  return new AuthError(session.revoked_reason === "reuse_detected" ? "SESSION_REUSED" : "SESSION_REVOKED");
}
