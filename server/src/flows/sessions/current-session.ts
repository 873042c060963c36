import { AuthError, type Principal } from "@countersign/shared";
import type { CurrentSession, User } from "@countersign/shared/schemas";
import type { Deps } from "../../deps.ts";
import { findSession } from "../../store/sessions.ts";
import { findAccount, toUser } from "../accounts/account.ts";

/** The account of a principal as it is now. @throws {AuthError} `SESSION_REVOKED` when it is gone. */
export async function currentUser(deps: Deps, principal: Principal): Promise<User> {
  const user = await findUser(deps, principal);
  if (user === null) throw new AuthError("SESSION_REVOKED");
  return user;
}

/** Reads no row that was read before at the version that was just proved. */
async function findUser(deps: Deps, { accountId, version }: Principal): Promise<User | null> {
  const known = deps.knownAccounts.get(accountId, deps.now());
  const account = known?.version === version ? known : await findAccount(deps, accountId);
  return account === null ? null : toUser(account);
}

/**
 * Who is signed in, and until when; `null` when nobody is, or when the credentials are no longer good.
 *
 * @param isByCookie Whether a cookie said so: it is good for as long as its session.
 */
export async function currentSession(
  deps: Deps,
  principal: () => Promise<Principal | null>,
  isByCookie: boolean,
): Promise<CurrentSession> {
  const proved = await signedInOrNull(principal);
  if (proved === null) return null;
  const user = await findUser(deps, proved);
  const session = isByCookie ? await findSession(deps.db, proved.sessionId) : null;
  if (user === null) return null;
  return {
    id: proved.sessionId,
    user,
    scopes: [...proved.scopes],
    authTime: proved.authTime,
    expiresAt: session === null ? proved.expiresAt : new Date(session.expires_at),
  };
}

async function signedInOrNull(principal: () => Promise<Principal | null>): Promise<Principal | null> {
  try {
    return await principal();
  } catch (error) {
    // A bad token is an answer here, "nobody"; a broken server is not.
    if (error instanceof AuthError && error.status === 401) return null;
    throw error;
  }
}
