/** Refusals on plain HTTP: RFC 6749 §5.2 and RFC 6750 §3, with our reason beside the standard's word. */
import type { AuthError } from "@countersign/shared";

/** The body of an error on a plain route. */
export interface ErrorBody {
  /** The standard's word, as in `invalid_grant`. */
  readonly error: string;
  /** A sentence for people. */
  readonly error_description: string;
  /** Ours, where there is one. */
  readonly reason?: string;
}

/** The headers that go with refusals: `WWW-Authenticate` on 401 and on missing scopes, `Retry-After` on 429 and 503. */
export function refusalHeaders(refusals: readonly AuthError[]): Record<string, string> {
  const challenge = refusals.map(bearerChallenge).find((value) => value !== null);
  const waits = refusals.flatMap(({ data: { details } }) => ("retryAfter" in details ? [details.retryAfter] : []));
  return {
    ...(challenge && { "www-authenticate": challenge }),
    ...(waits.length > 0 && { "retry-after": String(Math.max(...waits)) }),
  };
}

/** RFC 6750 §3: no error code for a request that carries no token at all. */
function bearerChallenge({ data, status }: AuthError): string | null {
  if (data.reason === "TOKEN_MISSING" || data.reason === "INVALID_CREDENTIALS") return "Bearer";
  if (data.reason === "INSUFFICIENT_SCOPE") {
    return `Bearer error="insufficient_scope", scope="${data.details.missing.join(" ")}"`;
  }
  // RFC 9470 §3.
  if (data.reason === "FRESH_LOGIN_REQUIRED") {
    return `Bearer error="insufficient_user_authentication", max_age="${data.details.maxAge}"`;
  }
  return status === 401 ? 'Bearer error="invalid_token"' : null;
}

/** A refusal as the reply of a resource, such as `GET /users/me`. */
export function resourceRefusal(refusal: AuthError): Response {
  return reply(refusal.status, resourceRefusalBody(refusal), refusalHeaders([refusal]));
}

/** The body of {@link resourceRefusal}. */
export function resourceRefusalBody({ reason, status, message }: AuthError): ErrorBody {
  const isCredential = status === 401;
  const error = isCredential ? "invalid_token" : status === 503 ? "temporarily_unavailable" : reason.toLowerCase();
  return { error, error_description: isCredential ? "Could not validate credentials" : message, reason };
}

const tokenErrors: Partial<Record<AuthError["reason"], string>> = {
  INVALID_CREDENTIALS: "invalid_grant",
  ACCOUNT_DISABLED: "invalid_grant",
  TOKEN_INVALID: "invalid_grant",
  TOKEN_EXPIRED: "invalid_grant",
  SESSION_REVOKED: "invalid_grant",
  SESSION_REUSED: "invalid_grant",
  BAD_REQUEST: "invalid_request",
};

/** A refusal as the reply of the token endpoint (RFC 6749 §5.2). */
export function tokenRefusal(refusal: AuthError): Response {
  const body = tokenRefusalBody(refusal);
  const status = body.error === "temporarily_unavailable" ? refusal.status : 400;
  return reply(status, body, refusalHeaders([refusal].filter(({ status }) => status >= 429)));
}

/** The body of {@link tokenRefusal}. */
export function tokenRefusalBody(refusal: AuthError): ErrorBody {
  const { message, reason } = refusal;
  const error = isAboutScope(refusal) ? "invalid_scope" : (tokenErrors[reason] ?? "temporarily_unavailable");
  return { error, error_description: message, reason };
}

function isAboutScope({ data }: AuthError): boolean {
  return data.reason === "BAD_REQUEST" && data.details.issues.some(({ path }) => path[0] === "scope");
}

/** Any error as the reply of a plain route. What is not a refusal is not shown. */
export function reply(status: number, body: ErrorBody, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store", ...headers } });
}
