/** How refusals are described: an example of each, and the replies that carry them. */
import { AuthError, type Reason, reasons } from "@countersign/shared";
import type { Demands } from "../../trpc/guards.ts";
import { type JsonObject, jsonContent } from "./json.ts";

/** How one face of the server shows refusals: their schema, and the body that carries one. */
export interface RefusalFace {
  readonly schema: JsonObject;
  readonly bodyOf: (refusal: AuthError) => unknown;
}

/** A refusal for each reason, as a procedure with these demands would send it. */
export function examplesOf(possible: readonly Reason[], demands: Demands | null = null): AuthError[] {
  return possible.map((reason) => exampleOf(reason, demands));
}

function exampleOf(reason: Reason, demands: Demands | null): AuthError {
  switch (reason) {
    case "INSUFFICIENT_SCOPE":
      return new AuthError(reason, { missing: demands?.scopes ?? [] });
    case "INSUFFICIENT_ROLE":
      return new AuthError(reason, { role: demands?.roles[0] ?? "" });
    case "FRESH_LOGIN_REQUIRED":
      return new AuthError(reason, { maxAge: demands?.maxAge ?? 0 });
    case "RATE_LIMITED":
      return new AuthError(reason, { retryAfter: 900 });
    case "BUSY":
    case "UNAVAILABLE":
      return new AuthError(reason, { retryAfter: 1 });
    case "WEAK_PASSWORD":
      return new AuthError(reason, { rule: "too_short", field: "password" });
    case "BAD_REQUEST":
      return new AuthError(reason, { issues: [{ path: ["field"], message: fieldIsMissing }] }, fieldIsMissing);
    default:
      return new AuthError(reason);
  }
}

const fieldIsMissing = '"field" is required';

/** The replies that carry these refusals, by status, each with an example. */
export function refusalResponses(refusals: readonly AuthError[], { schema, bodyOf }: RefusalFace): JsonObject {
  const byStatus = Map.groupBy(refusals, ({ status }) => status);
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      status,
      {
        description: ofStatus.map(describeRefusal).join("\n\n"),
        ...headersOf(ofStatus),
        content: jsonContent(schema, Object.fromEntries(ofStatus.map((refusal) => [refusal.reason, bodyOf(refusal)]))),
      },
    ]),
  );
}

/** A reason and its sentence. What is wrong with one input is an example; all else is the same each time. */
export function describeRefusal({ reason, message }: AuthError): string {
  return `\`${reason}\`: ${reason === "BAD_REQUEST" ? reasons.BAD_REQUEST.message : message}`;
}

/** The headers that refusals come with, as components. */
export const refusalHeaderComponents: JsonObject = {
  "WWW-Authenticate": {
    description: 'What to authenticate with, as in `Bearer error="invalid_token"` (RFC 6750 §3).',
    schema: { type: "string" },
  },
  "Retry-After": { description: "Seconds until another attempt can succeed.", schema: { type: "integer" } },
};

function headersOf(ofStatus: readonly AuthError[]): JsonObject {
  const challenges = ofStatus.some(
    ({ status, reason }) => status === 401 || reason === "INSUFFICIENT_SCOPE" || reason === "FRESH_LOGIN_REQUIRED",
  );
  const waits = ofStatus.some(({ status }) => status === 429 || status === 503);
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
