import { AuthError, type Principal } from "@countersign/shared";
import type { LogoutInput, RevokedCount, SessionId } from "@countersign/shared/schemas";
import { parseRefreshToken } from "../../crypto/refresh-token.ts";
import type { Caller, Deps } from "../../deps.ts";
import { findSession } from "../../store/sessions.ts";
import { revoke } from "./revoke.ts";

/**
 * Ends the session of a refresh token, or else of the caller's access token. Works with an expired access token as long
 * as there is a refresh token, and answers the same when the session has ended already.
 *
 * @throws {AuthError} `TOKEN_MISSING` when the caller names no session at all, `TOKEN_INVALID`
 */
export async function logout(
  deps: Deps,
  input: LogoutInput,
  { principal, caller }: { principal: () => Promise<Principal | null>; caller: Caller },
): Promise<RevokedCount> {
  const id =
    input.refreshToken === undefined ? await sessionOfCaller(principal) : await sessionOf(deps, input.refreshToken);
  if (id === null) return { revoked: 0 };
  return { revoked: await revoke(deps, { id }, { reason: "signed_out", caller }) };
}

/** The session of the caller's access token; `null` when it has ended already. */
async function sessionOfCaller(principal: () => Promise<Principal | null>): Promise<SessionId | null> {
  try {
    const proved = await principal();
    if (proved === null) throw new AuthError("TOKEN_MISSING");
    return proved.sessionId;
  } catch (error) {
    if (error instanceof AuthError && error.reason === "SESSION_REVOKED") return null;
    throw error;
  }
}

async function sessionOf(deps: Deps, refreshToken: string): Promise<SessionId> {
  const presented = parseRefreshToken(refreshToken);
  const session = presented && (await findSession(deps.db, presented.sessionId));
  if (!presented || !session || !deps.refreshTokens.isAuthentic(presented, session.salt))
    throw new AuthError("TOKEN_INVALID");
  return session.id;
}
