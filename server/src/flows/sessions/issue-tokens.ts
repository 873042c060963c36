import type { SignedIn } from "@countersign/shared/schemas";
import type { Deps } from "../../deps.ts";
import type { SessionRow } from "../../store/schema.ts";
import { type Account, toUser } from "../accounts/account.ts";
import { grantScopes } from "./grant-scopes.ts";

/** The access token and the refresh token of a session's generation, for the account as it is now. */
export async function issueTokens(deps: Deps, session: SessionRow, account: Account): Promise<SignedIn> {
  const scopes = grantScopes(deps.settings, account.roles, session.scope);
  const { id, username, email, roles, version } = account;
  const claims = (await deps.settings.claims?.({ id, username, email, roles })) ?? {};
  const { accessToken, expiresAt } = await deps.accessTokens.issue({
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
  return {
    accessToken,
    tokenType: "Bearer",
    expiresAt,
    refreshToken: deps.refreshTokens.make(session),
    scope: scopes.join(" "),
    user: toUser(account),
  };
}
