/** The plain routes as operations. */
import { AuthError } from "@countersign/shared";
import { User } from "@countersign/shared/schemas";
import { z } from "zod";
import { guardReasons } from "../../trpc/guard-reasons.ts";
import { resourceRefusalBody, tokenRefusalBody } from "../refusal.ts";
import { PasswordGrant, RefreshGrant, TokenReply } from "../token.ts";
import { type JsonObject, jsonContent } from "./json.ts";
import { examplesOf, type RefusalFace, refusalResponses } from "./refusals.ts";
import type { DescribedSchemas } from "./schemas.ts";

const signedIn = { signedIn: true, scopes: [], roles: [], maxAge: null };

/** The schemas that parse what the plain routes take, and that their replies have. */
export const plainInputs = {
  "POST /token": z.union([PasswordGrant, RefreshGrant]),
  /** The fields of both grants, so that Swagger UI shows a form. */
  "POST /token fields": z
    .object({ ...PasswordGrant.shape, ...RefreshGrant.shape, grant_type: z.enum(["password", "refresh_token"]) })
    .partial(),
};
export const plainOutputs = { "POST /token": TokenReply, "GET /users/me": User };

/** The path items of the plain routes. */
export function plainItems({ inputs, outputs }: DescribedSchemas): JsonObject {
  return {
    "/token": {
      post: {
        operationId: "http.token",
        tags: ["sign-in"],
        summary: "Sign in with username and password, or refresh",
        description: "RFC 6749 §4.3 and §6. Client credentials are not asked for, and ignored.",
        security: [],
        requestBody: {
          required: true,
          content: {
            "application/x-www-form-urlencoded": {
              schema: { ...inputs["POST /token fields"], ...inputs["POST /token"] },
            },
          },
        },
        responses: {
          200: { description: "Tokens.", content: jsonContent(outputs["POST /token"] ?? {}) },
          400: {
            description:
              "`invalid_request`, `invalid_grant`, `invalid_scope` or `unsupported_grant_type` (RFC 6749 §5.2).",
            content: jsonContent(httpError, grantExamples),
          },
          ...refusalResponses(examplesOf(["RATE_LIMITED", "BUSY", "UNAVAILABLE"]), {
            schema: httpError,
            bodyOf: tokenRefusalBody,
          }),
        },
      },
    },
    "/users/me": {
      get: {
        operationId: "http.usersMe",
        tags: ["sign-in"],
        summary: "Who is signed in",
        security: [{ password: [] }, { bearer: [] }],
        responses: {
          200: { description: "The account.", content: jsonContent(outputs["GET /users/me"] ?? {}) },
          ...refusalResponses(examplesOf(guardReasons(signedIn), signedIn), resource),
        },
      },
    },
    "/.well-known/jwks.json": {
      get: {
        operationId: "http.jwks",
        tags: ["service"],
        summary: "The public keys that access tokens are verified with (RFC 7517)",
        security: [],
        responses: {
          200: { description: "The keys.", content: jsonContent(jwksSchema) },
          ...refusalResponses(examplesOf(["UNAVAILABLE"]), resource),
        },
      },
    },
    "/healthz": {
      get: {
        operationId: "http.healthz",
        tags: ["service"],
        summary: "Whether the process answers",
        security: [],
        responses: { 200: { description: "It does.", content: jsonContent(statusSchema("ok")) } },
      },
    },
    "/readyz": {
      get: {
        operationId: "http.readyz",
        tags: ["service"],
        summary: "Whether the database and the feed answer",
        security: [],
        responses: {
          200: { description: "They do.", content: jsonContent(statusSchema("ready")) },
          503: {
            description: "They do not.",
            content: jsonContent(statusSchema("unavailable", "problem"), {
              DOWN: { status: "unavailable", problem: "The database does not answer." },
            }),
          },
        },
      },
    },
    "/metrics": {
      get: {
        operationId: "http.metrics",
        tags: ["service"],
        summary: "What Prometheus reads",
        security: [],
        responses: { 200: { description: "The metrics.", content: { "text/plain": { schema: { type: "string" } } } } },
      },
    },
  };
}

const httpError = { $ref: "#/components/schemas/HttpError" };
const resource: RefusalFace = { schema: httpError, bodyOf: resourceRefusalBody };

const unknownScope = '"scope" names a scope that does not exist';

/** What `POST /token` refuses with 400, by the standard's word and ours. */
const grantExamples = Object.fromEntries(
  [
    new AuthError("INVALID_CREDENTIALS"),
    new AuthError("ACCOUNT_DISABLED"),
    new AuthError("TOKEN_INVALID"),
    new AuthError("TOKEN_EXPIRED"),
    new AuthError("SESSION_REVOKED"),
    new AuthError("SESSION_REUSED"),
    new AuthError("BAD_REQUEST", { issues: [{ path: ["scope"], message: unknownScope }] }, unknownScope),
  ].map((refusal) => [refusal.reason, tokenRefusalBody(refusal)]),
);

const jwksSchema: JsonObject = {
  type: "object",
  properties: {
    keys: {
      type: "array",
      items: {
        type: "object",
        properties: {
          kty: { type: "string" },
          kid: { type: "string" },
          alg: { type: "string" },
          use: { type: "string" },
        },
        required: ["kty", "kid"],
      },
    },
  },
  required: ["keys"],
};

function statusSchema(status: string, ...others: readonly string[]): JsonObject {
  const properties = {
    status: { const: status },
    ...Object.fromEntries(others.map((name) => [name, { type: "string" }])),
  };
  return { type: "object", properties, required: ["status", ...others] };
}
