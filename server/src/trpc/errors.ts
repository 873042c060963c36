/** From a refusal to what tRPC sends, and nothing more than that: no stack, no SQL, no library's words. */
import { AuthError, type Failure, type InputIssue, type WireError } from "@countersign/shared";
import { TRPCError } from "@trpc/server";
import { type TRPC_ERROR_CODE_KEY, type TRPC_ERROR_CODE_NUMBER, TRPC_ERROR_CODES_BY_KEY } from "@trpc/server/rpc";
import { type FoundIssue, readIssues, toSentence } from "../input-issues.ts";

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
  const status = refusalIn(error)?.status;
  const refused = status === undefined ? undefined : codes[status];
  const code = refused ?? error.code;
  const { message, failure } = describe(error);
  const httpStatus = status ?? shape.data.httpStatus;
  return {
    message,
    // A refusal that a subscription's resolver threw is an internal error to tRPC, and its client would try again for ever.
    code: refused === undefined ? shape.code : TRPC_ERROR_CODES_BY_KEY[refused],
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
  const said = inOurWords(error);
  if (error.code === "NOT_FOUND") return { message: said, failure: { reason: "NOT_FOUND", details: {} } };
  if (!badRequestCodes.has(error.code)) return { message: said, failure: null };

  const issues = issuesOf(error.cause);
  const message = issues?.[0] ? toSentence(issues[0]) : said;
  return { message, failure: { reason: "BAD_REQUEST", details: { issues: issues ?? [{ path: [], message }] } } };
}

/** What zod, and every validator of the Standard Schema, found wrong. */
function issuesOf(cause: unknown): InputIssue[] | null {
  if (!(cause instanceof Error) || !("issues" in cause) || !Array.isArray(cause.issues)) return null;
  return readIssues(cause.issues as readonly FoundIssue[]);
}

/** What tRPC says by itself, some of it with the path or a header in it, and what people are told instead. */
const sentences: readonly (readonly [said: RegExp, sentence: string])[] = [
  [/^No procedure found on path "/, "There is no procedure of this name."],
  [/^Invalid URL-encoding in path "/, "The path is not a valid URL."],
  [/^Unsupported [A-Z]+-request to /, "Call queries with GET, and mutations with POST."],
  [/^(?:Unsupported content-type "|Missing content-type header$)/, "Send application/json."],
  [/^Only POST requests are supported for /, "Send application/json."],
  [/^Batch call exceeds maximum size$/, "There are too many calls in one batch."],
  [/^Not JSON-parsable query params$/, '"connectionParams" must be JSON.'],
  [/^Invalid connection params shape$/, '"connectionParams" must be an object of strings.'],
];

/** An application's own message stays. One that only repeats its cause is a library's, and may quote the input. */
function inOurWords({ message, cause }: TRPCError): string {
  const said = sentences.find(([pattern]) => pattern.test(message));
  if (said !== undefined) return said[1];
  return cause !== undefined && message === cause.message ? "The request is not valid JSON." : message;
}
