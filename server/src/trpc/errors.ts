/** From a refusal to what tRPC sends, and nothing more than that: no stack, no SQL, no library's words. */
import { AuthError, type Failure, type InputIssue, type WireError } from "@countersign/shared";
import { TRPCError } from "@trpc/server";
import type { TRPC_ERROR_CODE_KEY, TRPC_ERROR_CODE_NUMBER } from "@trpc/server/rpc";

const codes: Readonly<Record<number, TRPC_ERROR_CODE_KEY>> = {
  400: "BAD_REQUEST",
  401: "UNAUTHORIZED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  409: "CONFLICT",
  429: "TOO_MANY_REQUESTS",
  503: "SERVICE_UNAVAILABLE",
};

const badRequestCodes: ReadonlySet<TRPC_ERROR_CODE_KEY> = new Set([
  "BAD_REQUEST",
  "PARSE_ERROR",
  "METHOD_NOT_SUPPORTED",
  "PAYLOAD_TOO_LARGE",
  "UNSUPPORTED_MEDIA_TYPE",
]);

/** tRPC's error for a refusal; the refusal is its `cause`. */
export function toTRPCError(error: AuthError): TRPCError {
  return new TRPCError({ code: codes[error.status] ?? "INTERNAL_SERVER_ERROR", message: error.message, cause: error });
}

/** The refusal behind a tRPC error, if there is one. */
export function refusalIn(error: TRPCError): AuthError | null {
  return error.cause instanceof AuthError ? error.cause : null;
}

/**
 * tRPC's error formatter: gives every error its `data.reason` and `data.details`, and hides what is nobody's business.
 * Our guards bring it along; give it to a `t` of your own for the errors outside of them, such as an unknown procedure.
 *
 * @example
 * ```ts
 * const t = initTRPC.context<AuthContext>().create({ transformer, errorFormatter });
 * ```
 */
export function errorFormatter({ error, shape, path }: FormatterOptions): WireError {
  const code = refusalIn(error) ? (codes[refusalIn(error)?.status ?? 500] ?? error.code) : error.code;
  const { message, failure } = describe(error);
  const httpStatus = refusalIn(error)?.status ?? shape.data.httpStatus;
  return {
    message,
    code: shape.code,
    data: { code, httpStatus, ...(path !== undefined && { path }), ...(failure ?? { reason: null, details: null }) },
  };
}

interface FormatterOptions {
  readonly error: TRPCError;
  readonly path: string | undefined;
  readonly shape: { readonly code: TRPC_ERROR_CODE_NUMBER; readonly data: { readonly httpStatus: number } };
}

function describe(error: TRPCError): { message: string; failure: Failure | null } {
  const refusal = refusalIn(error);
  if (refusal !== null) return { message: refusal.message, failure: refusal.data };
  if (error.code === "INTERNAL_SERVER_ERROR") return { message: "Something went wrong on the server.", failure: null };
  if (error.code === "NOT_FOUND") return { message: error.message, failure: { reason: "NOT_FOUND", details: {} } };
  if (!badRequestCodes.has(error.code)) return { message: error.message, failure: null };

  const issues = issuesOf(error.cause);
  const message = issues?.[0]?.message ?? ownMessage(error);
  return { message, failure: { reason: "BAD_REQUEST", details: { issues: issues ?? [{ path: [], message }] } } };
}

/** What zod, and every validator of the Standard Schema, found wrong. */
function issuesOf(cause: unknown): InputIssue[] | null {
  if (!(cause instanceof Error) || !("issues" in cause) || !Array.isArray(cause.issues)) return null;
  return cause.issues.map(({ path = [], message }: { path?: readonly unknown[]; message: unknown }) => ({
    path: path.map((key) => (typeof key === "number" ? key : String(key))),
    message: String(message),
  }));
}

/** A message that only repeats its cause is a library's; it may quote the input. */
function ownMessage(error: TRPCError): string {
  return error.cause !== undefined && error.message === error.cause.message
    ? "The request is not valid JSON."
    : error.message;
}
