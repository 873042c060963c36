/** Bearer tokens in the `Authorization` header (RFC 6750 §2.1). */
import { AuthError } from "@countersign/shared";

/**
 * The bearer token of an `Authorization` header, unchecked; `null` when there is no header, or it is of another scheme.
 * Two headers, which arrive joined by a comma, give a token that no check lets pass.
 *
 * @throws AuthError `TOKEN_INVALID` for a bearer header without a token.
 */
export function readBearer(authorization: string | null | undefined): string | null {
  const scheme = /^bearer(?: +|$)/i.exec(authorization ?? "")?.[0];
  if (!authorization || scheme === undefined) return null;
  const token = authorization.slice(scheme.length);
  if (token === "") throw new AuthError("TOKEN_INVALID");
  return token;
}
