import type { SignedIn } from "@countersign/shared/schemas";
import type { AccessTokenGrant } from "../../crypto/access-token.ts";
import type { Deps } from "../../deps.ts";
import type { IssuedAccessToken } from "../../engine/access-tokens.ts";
import type { SessionRow } from "../../store/schema.ts";
import { type Account, toUser } from "../accounts/account.ts";
import { grantScopes } from "./grant-scopes.ts";

/** What a session is of, as far as a grant tells. */
type GrantedSession = Pick<SessionRow, "id" | "client_id" | "scope" | "auth_time" | "amr">;

/** A session and its account, with the access token of this moment. */
export interface StartedSession {
  readonly session: SessionRow;
  readonly account: Account;
  readonly accessToken: IssuedAccessToken & { readonly scopes: readonly string[] };
}

/** What a session lets its account do at this moment: what an access token says. */
async function grantOf(deps: Deps, session: GrantedSession, account: Account): Promise<AccessTokenGrant> {
  const { id, username, email, roles, version } = account;
  const claims = (await deps.settings.claims?.({ id, username, email, roles })) ?? {};
  return {
    accountId: id,
    username,
    sessionId: session.id,
    clientId: session.client_id,
    scopes: grantScopes(deps.settings, roles, session.scope),
    roles,
    version,
    authTime: believedAuthTime(deps, session.auth_time),
    amr: session.amr.split(" "),
    claims: { ...claims },
  };
}

/** A sign-in to come is of a clock that was ahead. Nobody knows when it was: not lately, as far as anything depends on that. */
function believedAuthTime({ now, settings }: Deps, authTime: number): number {
  return authTime > now() + settings.clockToleranceSeconds * 1_000 ? 0 : authTime;
}

/**
 * The access token of a session, for the account as it is now, under way when this returns. Ask for it before the session's row
 * is written: the application's `claims` may fail, and what was on disk by then would be a session that nobody has the tokens of.
 */
export async function issueAccessToken(
  deps: Deps,
  session: GrantedSession,
  account: Account,
): Promise<StartedSession["accessToken"]> {
  const grant = await grantOf(deps, session, account);
  return { ...deps.accessTokens.issue(grant), scopes: grant.scopes };
}

/** A sign-in or a refresh as the holder of tokens gets it. */
export async function toSignedIn(deps: Deps, { session, account, accessToken }: StartedSession): Promise<SignedIn> {
  const { expiresAt, scopes } = accessToken;
  // Made while the other is signed.
  const refreshToken = deps.refreshTokens.make(session);
  return {
    accessToken: await accessToken.accessToken,
    tokenType: "Bearer",
    expiresAt,
    expiresIn: Math.max(0, (expiresAt.getTime() - deps.now()) / 1_000),
    refreshToken,
    scope: scopes.join(" "),
    user: toUser(account),
  };
}
