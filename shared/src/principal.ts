/** Who a request comes from, as its access token proves it. */
import type { AccountId, SessionId } from "./schemas/fields.ts";

/** What a good access token says: who, through which session, and what it may do. Frozen: it may be shared by requests. */
export interface Principal<
  Scope extends string = string,
  Role extends string = string,
  Claims extends object = Record<string, unknown>,
> {
  readonly accountId: AccountId;
  readonly username: string;
  readonly sessionId: SessionId;
  /** The client that the token was issued to. */
  readonly clientId: string;
  /** What the token may do. */
  readonly scopes: readonly Scope[];
  /** What the account is. */
  readonly roles: readonly Role[];
  /** When the person last proved who they are. */
  readonly authTime: Date;
  /** How they proved it (RFC 8176), as in `["pwd"]`. */
  readonly amr: readonly string[];
  /** The account's version when the token was issued. A token of an older version is no longer good. */
  readonly version: number;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** The application's own claims: everything in the token that is not a registered claim. */
  readonly claims: Claims;
}
