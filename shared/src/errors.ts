/** A refusal as the server throws it: with the HTTP status of its reason, and a sentence for people, which may be reworded. */
import type { Failure, Reason, ReasonDetails } from "./reasons.ts";

interface ReasonEntry {
  readonly status: number;
  readonly message: string;
}

/** Every reason with its HTTP status and its sentence. */
export const reasons = {
  INVALID_CREDENTIALS: { status: 401, message: "The username or the password is wrong." },
  ACCOUNT_DISABLED: { status: 403, message: "This account is disabled. Ask an administrator to enable it." },
  TOKEN_MISSING: { status: 401, message: "Sign in first: this call needs an access token." },
  TOKEN_INVALID: { status: 401, message: "Could not validate credentials. Sign in again." },
  TOKEN_EXPIRED: { status: 401, message: "The token has expired. Refresh it, or sign in again." },
  SESSION_REVOKED: { status: 401, message: "This session was signed out. Sign in again." },
  SESSION_REUSED: {
    status: 401,
    message: "An old refresh token was used again, so this session was ended for safety. Sign in again.",
  },
  INSUFFICIENT_SCOPE: { status: 403, message: "The access token does not have the scope that this call needs." },
  INSUFFICIENT_ROLE: { status: 403, message: "This account does not have the role that this call needs." },
  FRESH_LOGIN_REQUIRED: {
    status: 403,
    message: "This call needs a recent sign-in. Confirm your password and try again.",
  },
  RATE_LIMITED: { status: 429, message: "Too many attempts. Wait, and try again." },
  BUSY: { status: 503, message: "Too many sign-ins at this moment. Try again in a few seconds." },
  UNAVAILABLE: { status: 503, message: "The sign-in service cannot reach its database. Try again in a few seconds." },
  USERNAME_TAKEN: { status: 409, message: "This username is taken. Choose another." },
  EMAIL_TAKEN: { status: 409, message: "An account with this e-mail address exists. Sign in instead." },
  WEAK_PASSWORD: { status: 400, message: "This password is too easy to guess. Choose another." },
  ORIGIN_NOT_ALLOWED: {
    status: 403,
    message: "This request came from the page of another website, so nothing was done.",
  },
  REGISTRATION_CLOSED: { status: 403, message: "Registration is closed. Ask an administrator for an account." },
  LAST_ADMIN: {
    status: 409,
    message: "This is the last account that administers this server. Give the role to another one first.",
  },
  NOT_FOUND: { status: 404, message: "There is nothing under this id." },
  BAD_REQUEST: { status: 400, message: "The request is not valid." },
} as const satisfies Record<Reason, ReasonEntry>;

type AuthErrorArguments<R extends Reason> = R extends keyof ReasonDetails
  ? [reason: R, details: ReasonDetails[R], message?: string, options?: ErrorOptions]
  : [reason: R, details?: undefined, message?: string, options?: ErrorOptions];

/**
 * A refusal. Thrown by everything in the server that can refuse; turned into the wire's error at the edges.
 *
 * @example
 * ```ts
 * throw new AuthError("RATE_LIMITED", { retryAfter: 30 });
 * ```
 */
export class AuthError<R extends Reason = Reason> extends Error {
  override readonly name = "AuthError";
  /** The reason and its details: what goes over the wire. */
  readonly data: Failure<R>;

  constructor(...[reason, details, message, options]: AuthErrorArguments<R>) {
    // The constructor's arguments are typed per reason, which TypeScript cannot carry into the union's member.
    const data: unknown = { reason, details: details ?? {} };
    super(message ?? sentenceOf(data as Failure), options);
    this.data = data as Failure<R>;
  }

  /** Why the call was refused. */
  get reason(): R {
    return this.data.reason as R;
  }

  /** The HTTP status of this refusal. */
  get status(): number {
    return reasons[this.reason].status;
  }
}

/** The sentence of a reason, with what the details add to it. */
function sentenceOf(failure: Failure): string {
  switch (failure.reason) {
    case "INSUFFICIENT_SCOPE": {
      const { missing } = failure.details;
      const scopes = missing.map((scope) => `"${scope}"`).join(" and ");
      return `This call needs the ${missing.length === 1 ? "scope" : "scopes"} ${scopes}, which the access token does not have.`;
    }
    case "INSUFFICIENT_ROLE":
      return `This call needs the role "${failure.details.role}", which this account does not have.`;
    default:
      return reasons[failure.reason].message;
  }
}
