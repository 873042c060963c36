/** How refusals are described: which reasons a guard can raise, and the replies that carry them. */
import { type Reason, reasons } from "@countersign/shared";
import type { Demands } from "../../trpc/guards.ts";
import { type JsonObject, jsonContent } from "./json.ts";

/** What an access token may be refused with. */
const tokenReasons: readonly Reason[] = ["TOKEN_MISSING", "TOKEN_INVALID", "TOKEN_EXPIRED", "SESSION_REVOKED"];

/** The reasons for which a guard with these demands can refuse a call. */
export function guardReasons(demands: Demands | null): Reason[] {
  return [
    ...(demands?.signedIn ? tokenReasons : []),
    ...(demands?.scopes.length ? (["INSUFFICIENT_SCOPE"] as const) : []),
    ...(demands?.roles.length ? (["INSUFFICIENT_ROLE"] as const) : []),
    ...(demands != null && demands.maxAge !== null ? (["FRESH_LOGIN_REQUIRED"] as const) : []),
    // Whatever it demands: the context of a call needs the database to be open.
    "UNAVAILABLE",
  ];
}

/** The replies that carry these reasons, by status. */
export function refusalResponses(possible: readonly Reason[], schema: JsonObject): JsonObject {
  const byStatus = Map.groupBy(possible, (reason) => reasons[reason].status);
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      status,
      {
        description: ofStatus.map((reason) => `\`${reason}\`: ${reasons[reason].message}`).join("\n\n"),
        ...headersOf(ofStatus),
        content: jsonContent(schema),
      },
    ]),
  );
}

/** The headers that refusals come with, as components. */
export const refusalHeaderComponents: JsonObject = {
  "WWW-Authenticate": {
    description: 'What to authenticate with, as in `Bearer error="invalid_token"` (RFC 6750 §3).',
    schema: { type: "string" },
  },
  "Retry-After": { description: "Seconds until another attempt can succeed.", schema: { type: "integer" } },
};

function headersOf(ofStatus: readonly Reason[]): JsonObject {
  const challenges = ofStatus.some(
    (reason) => reasons[reason].status === 401 || reason === "INSUFFICIENT_SCOPE" || reason === "FRESH_LOGIN_REQUIRED",
  );
  const waits = ofStatus.some((reason) => reasons[reason].status === 429 || reasons[reason].status === 503);
  const headers = {
    ...(challenges && { "WWW-Authenticate": { $ref: "#/components/headers/WWW-Authenticate" } }),
    ...(waits && { "Retry-After": { $ref: "#/components/headers/Retry-After" } }),
  };
  return challenges || waits ? { headers } : {};
}

/** The body of a refusal on a plain route. */
export const httpErrorSchema: JsonObject = {
  type: "object",
  properties: {
    error: { type: "string", description: "The standard's word, as in `invalid_grant`." },
    error_description: { type: "string", description: "A sentence for people." },
    reason: { type: "string", enum: Object.keys(reasons), description: "The contract: what to tell reasons apart by." },
  },
  required: ["error", "error_description"],
};

/** A tRPC error, before the transformer. */
export const procedureErrorSchema: JsonObject = {
  type: "object",
  properties: {
    message: { type: "string", description: "A sentence for people." },
    code: { type: "integer", description: "JSON-RPC's number." },
    data: {
      type: "object",
      properties: {
        code: { type: "string", description: "tRPC's word for the status, as in `UNAUTHORIZED`." },
        httpStatus: { type: "integer" },
        path: { type: "string", description: "The procedure that refused." },
        reason: {
          enum: [...Object.keys(reasons), null],
          description: "The contract: what to tell refusals apart by. `null` for an error that has none.",
        },
        details: { type: ["object", "null"], description: "What comes with the reason, as `retryAfter`." },
      },
      required: ["code", "httpStatus"],
    },
  },
  required: ["message", "code", "data"],
};
