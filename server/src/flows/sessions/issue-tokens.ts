import type { SignedIn } from "@countersign/shared/schemas";
import type { Deps } from "../../deps.ts";
import type { IssuedAccessToken } from "../../engine/access-tokens.ts";
import type { SessionRow } from "../../store/schema.ts";
import { type Account, toUser } from "../accounts/account.ts";
import { grantScopes } from "./grant-scopes.ts";

/** An access token, and the scopes in it. */
export interface Grant extends IssuedAccessToken {
  readonly scope: string;
}

/**
 * The access token of a session, for the account as it is now. Make it before the session's row is written: the
 * application's `claims` may fail, and what was on disk by then would be a session that nobody has the tokens of.
 */
export async function issueAccessToken(
  deps: Deps,
  session: Pick<SessionRow, "id" | "client_id" | "scope" | "auth_time" | "amr">,
  account: Account,
): Promise<Grant> {
  const scopes = grantScopes(deps.settings, account.roles, session.scope);
  const { id, username, email, roles, version } = account;
  const claims = (await deps.settings.claims?.({ id, username, email, roles })) ?? {};
  const issued = await deps.accessTokens.issue({
    accountId: id,
    username,
    sessionId: session.id,
    clientId: session.client_id,
    scopes,
    roles,
    version,
    authTime: session.auth_time,
    amr: session.amr.split(" "),
    claims: { ...claims },
  });
  return { ...issued, scope: scopes.join(" ") };
}

/** The reply of a sign-in or a refresh: the grant, and the refresh token of the session's generation. */
export function toSignedIn(
  deps: Deps,
  session: SessionRow,
  { account, grant }: { account: Account; grant: Grant },
): SignedIn {
  return {
    accessToken: grant.accessToken,
    tokenType: "Bearer",
    expiresAt: grant.expiresAt,
    refreshToken: deps.refreshTokens.make(session),
    scope: grant.scope,
    user: toUser(account),
  };
}
