import { AuthError } from "@countersign/shared";
import type { RefreshInput } from "@countersign/shared/schemas";
import { attemptHash, type PresentedRefreshToken, parseRefreshToken } from "../../crypto/refresh-token.ts";
import type { Caller, Deps } from "../../deps.ts";
import type { SessionRow } from "../../store/schema.ts";
import { findSession, rotateSession } from "../../store/sessions.ts";
import { type Account, findAccount } from "../accounts/account.ts";
import { issueAccessToken, type StartedSession } from "./issue-tokens.ts";
import { asKnown } from "./known-session.ts";
import { endOfIdleness } from "./prolong.ts";
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
  const presented = parseRefreshToken(input.refreshToken);
  if (presented === null) throw new AuthError("TOKEN_INVALID");
  const rotatedBy = input.attempt === undefined ? null : attemptHash(input.attempt);
  return (await rotateKnown(deps, presented, rotatedBy)) ?? (await rotateRead(deps, presented, { rotatedBy, caller }));
}

/**
 * Rotates a session that this node has seen, of an account that it knows, in one statement: that both are still as they were is
 * a condition of it. `null` when they are not, or not known, or the token proves nothing: the rows say why.
 */
async function rotateKnown(
  deps: Deps,
  presented: PresentedRefreshToken,
  rotatedBy: string | null,
): Promise<StartedSession | null> {
  const now = deps.now();
  const session = deps.knownSessions.get(presented.sessionId, now);
  const account = session && deps.knownAccounts.get(session.account_id, now);
  if (session === null || account === null || account.disabled) return null;
  if (!deps.refreshTokens.isAuthentic(presented, session.salt)) return null;
  const { generation } = presented;
  const { isDone, started } = await rotate(deps, { ...session, generation, rotated_by: rotatedBy }, account, account);
  return isDone ? started : null;
}

async function rotateRead(
  deps: Deps,
  presented: PresentedRefreshToken,
  { rotatedBy, caller }: { rotatedBy: string | null; caller: Caller },
): Promise<StartedSession> {
  const session = { ...(await findPresentedSession(deps, presented)), rotated_by: rotatedBy };
  const account = await requireLiveAccount(deps, session, caller);
  const { isDone, started } = await rotate(deps, session, account);
  return isDone ? started : { ...started, session: await findSuccessor(deps, session, caller) };
}

/** @param condition What must still be so of the account. */
async function rotate(deps: Deps, session: SessionRow, account: Account, condition: Account | null = null) {
  // Before the rotation: what an application's claims fail at leaves the caller with a token that is still the current one.
  const accessToken = await issueAccessToken(deps, session, account);
  const now = deps.now();
  const expiresAt = endOfIdleness(deps, session, now);
  const { id, generation, rotated_by: rotatedBy } = session;
  const prolongedTo = expiresAt === session.expires_at ? null : expiresAt;
  const isDone = await rotateSession(deps.db, { id, generation, now, prolongedTo, rotatedBy }, condition);
  const successor = { ...session, generation: generation + 1, rotated_at: now, expires_at: expiresAt };
  if (isDone) {
    deps.knownSessions.set(id, asKnown(successor), expiresAt);
    deps.tally.count("refresh");
  }
  return { isDone, started: { session: successor, account, accessToken } };
}

/** The session that a refresh token names, at the generation that the token names. Nothing is believed before its proof. */
async function findPresentedSession(deps: Deps, presented: PresentedRefreshToken): Promise<SessionRow> {
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
  const { refreshGraceSeconds, clockToleranceSeconds } = deps.settings;
  const secondsAgo = (deps.now() - current.rotated_at) / 1_000;
  // Another node's clock may be ahead a little. A rotation later than that is of a clock that was wrong, and no reason to take the
  // token until then.
  const isWithinGrace = secondsAgo <= refreshGraceSeconds && secondsAgo >= -clockToleranceSeconds;
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
