/**
 * Why a call can be refused: the names of the reasons, the details that come with each, and how to read them from an
 * error. Free of the sentences, so that a browser carries only what it needs.
 */

/** The name of every reason. The name is the contract. */
export const reasonNames = [
  "INVALID_CREDENTIALS",
  "ACCOUNT_DISABLED",
  "TOKEN_MISSING",
  "TOKEN_INVALID",
  "TOKEN_EXPIRED",
  "SESSION_REVOKED",
  "SESSION_REUSED",
  "INSUFFICIENT_SCOPE",
  "INSUFFICIENT_ROLE",
  "FRESH_LOGIN_REQUIRED",
  "RATE_LIMITED",
  "BUSY",
  "UNAVAILABLE",
  "USERNAME_TAKEN",
  "EMAIL_TAKEN",
  "WEAK_PASSWORD",
  "ORIGIN_NOT_ALLOWED",
  "REGISTRATION_CLOSED",
  "LAST_ADMIN",
  "NOT_FOUND",
  "BAD_REQUEST",
] as const;

/** The name of a refusal, as in `"RATE_LIMITED"`. A closed union: `switch` over it narrows the details. */
export type Reason = (typeof reasonNames)[number];

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

/** The details of a reason; an empty object for a reason that has none. */
export type DetailsOf<R extends Reason> = R extends keyof ReasonDetails
  ? ReasonDetails[R]
  : Readonly<Record<never, never>>;

/** A reason with its details: a union that narrows by `reason`. */
export type Failure<R extends Reason = Reason> = {
  readonly [K in R]: { readonly reason: K; readonly details: DetailsOf<K> };
}[R];

/** An error that carries a reason: an `AuthError`, or what a tRPC client throws for one. */
export type ErrorWithReason = Error & { readonly data: Failure };

/**
 * Tells whether an error is a refusal with a reason, whichever side it is caught on: an `AuthError` in the
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
  return reasonNames.some((name) => name === value);
}
