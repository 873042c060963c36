/**
 * Why a call was refused: the reasons, their HTTP status, their sentence, and the details that come with each.
 *
 * The name of a reason is the contract; the sentence is for people and may be reworded.
 */

/** Details that a caller can act on, by reason. Reasons that are not listed here carry none. */
export interface ReasonDetails {
  /** Seconds until another attempt can succeed (`Retry-After`). */
  RATE_LIMITED: { readonly retryAfter: number };
  /** Seconds until another attempt can succeed (`Retry-After`). */
  BUSY: { readonly retryAfter: number };
  /** Seconds until another attempt can succeed (`Retry-After`). */
  UNAVAILABLE: { readonly retryAfter: number };
  /** The scopes that the call demands and the token lacks. */
  INSUFFICIENT_SCOPE: { readonly missing: readonly string[] };
  /** The role that the call demands. */
  INSUFFICIENT_ROLE: { readonly role: string };
  /** The greatest age of the sign-in, in seconds, that the call accepts. */
  FRESH_LOGIN_REQUIRED: { readonly maxAge: number };
  /** The rule that the password breaks, and the field of the input that it is in. */
  WEAK_PASSWORD: { readonly rule: PasswordRule; readonly field: PasswordField };
  /** What is wrong with the input, field by field; empty when the request could not be read at all. */
  BAD_REQUEST: { readonly issues: readonly InputIssue[] };
}

/** A rule of the password policy. */
export type PasswordRule = "too_short" | "too_common" | "is_username" | "is_product_name";

/** A field of an input that holds a password to be set. */
export type PasswordField = "password" | "newPassword";

/** One thing that is wrong with an input. Holds the path and the rule, never the value. */
export interface InputIssue {
  /** Where in the input, as in `["email"]`. Empty for the input as a whole. */
  readonly path: readonly (string | number)[];
  /** The rule that is broken, as a sentence. */
  readonly message: string;
}

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
  NOT_FOUND: { status: 404, message: "There is nothing under this id." },
  BAD_REQUEST: { status: 400, message: "The request is not valid." },
} as const satisfies Record<string, ReasonEntry>;

/** The name of a refusal, as in `"RATE_LIMITED"`. A closed union: `switch` over it narrows the details. */
export type Reason = keyof typeof reasons;

/** The details of a reason; an empty object for a reason that has none. */
export type DetailsOf<R extends Reason> = R extends keyof ReasonDetails
  ? ReasonDetails[R]
  : Readonly<Record<never, never>>;

/** A reason with its details: a union that narrows by `reason`. */
export type Failure<R extends Reason = Reason> = {
  readonly [K in R]: { readonly reason: K; readonly details: DetailsOf<K> };
}[R];

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

/** An error that carries a reason: an {@link AuthError}, or what a tRPC client throws for one. */
export type ErrorWithReason = Error & { readonly data: Failure };

/**
 * Tells whether an error is a refusal with a reason, whichever side it is caught on: an {@link AuthError} in the
 * server, or a `TRPCClientError` in a client.
 *
 * @example
 * ```ts
 * try {
 *   await auth.login({ username, password });
 * } catch (error) {
 *   if (!isAuthError(error)) throw error;
 *   switch (error.data.reason) {
 *     case "RATE_LIMITED":
 *       return `Wait ${error.data.details.retryAfter} seconds.`;
 *     default:
 *       return error.message;
 *   }
 * }
 * ```
 */
export function isAuthError(error: unknown): error is ErrorWithReason {
  if (!(error instanceof Error) || !("data" in error)) return false;
  const { data } = error;
  return typeof data === "object" && data !== null && "reason" in data && isReason(data.reason);
}

/** Tells whether a value is the name of a reason that this version knows. */
export function isReason(value: unknown): value is Reason {
  return typeof value === "string" && Object.hasOwn(reasons, value);
}
