/** Bearer tokens in the `Authorization` header (RFC 6750 §2.1). */
import { AuthError } from "@countersign/shared";

/**
 * The bearer token of an `Authorization` header; `null` when there is no header, or it is of another scheme.
 *
 * @throws AuthError `TOKEN_INVALID` for a bearer header that is malformed, as two headers joined by a comma are.
 */
export function readBearer(authorization: string | null | undefined): string | null {
  if (!authorization || !/^bearer(?: |$)/i.test(authorization)) return null;
  const token = /^bearer +([\w.~+/-]+=*)$/i.exec(authorization)?.[1];
  if (token === undefined) throw new AuthError("TOKEN_INVALID");
  return token;
}
