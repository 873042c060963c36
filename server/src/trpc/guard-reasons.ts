/** The reasons for which a guard can refuse a call: as values for OpenAPI, and as types for clients. */
import type { Reason } from "@countersign/shared";
import type { Demands } from "./guards.ts";

/** What an access token, or a session cookie, may be refused with. */
const tokenReasons = [
  "TOKEN_MISSING",
  "TOKEN_INVALID",
  "TOKEN_EXPIRED",
  "SESSION_REVOKED",
  "ACCOUNT_DISABLED",
  "ORIGIN_NOT_ALLOWED",
] as const satisfies Reason[];

/** Reasons of every guard, whatever it demands: the context of a call needs the database to be open. */
export type PublicReason = "UNAVAILABLE";
/** Reasons of every guard that demands a sign-in. */
export type SignedInReason = PublicReason | (typeof tokenReasons)[number];
/** Reasons of guards that demand more than a sign-in. */
export type DemandReason = "INSUFFICIENT_SCOPE" | "INSUFFICIENT_ROLE" | "FRESH_LOGIN_REQUIRED";

/** What requirements add to the reasons of a sign-in; `never` stands for one that is not demanded. */
export type ReasonsOfDemands<Scope, Role, MaxAge> =
  | ([Scope] extends [never] ? never : "INSUFFICIENT_SCOPE")
  | ([Role] extends [never] ? never : "INSUFFICIENT_ROLE")
  | ([MaxAge] extends [never] ? never : "FRESH_LOGIN_REQUIRED");

/** The reasons for which a guard with these demands can refuse a call. */
export function guardReasons(demands: Demands | null): (SignedInReason | DemandReason)[] {
  return [
    ...(demands?.signedIn ? tokenReasons : []),
    ...(demands?.scopes.length ? (["INSUFFICIENT_SCOPE"] as const) : []),
    ...(demands?.roles.length ? (["INSUFFICIENT_ROLE"] as const) : []),
    ...(demands != null && demands.maxAge !== null ? (["FRESH_LOGIN_REQUIRED"] as const) : []),
    "UNAVAILABLE",
  ];
}
