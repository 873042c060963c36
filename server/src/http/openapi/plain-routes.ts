/** The plain routes as operations. */
import { User } from "@countersign/shared/schemas";
import { z } from "zod";
import { PasswordGrant, RefreshGrant, TokenReply } from "../token.ts";
import { type JsonObject, jsonContent } from "./json.ts";
import { guardReasons, refusalResponses } from "./refusals.ts";
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
            content: jsonContent(httpError),
          },
          ...refusalResponses(["RATE_LIMITED", "BUSY", "UNAVAILABLE"], httpError),
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
          ...refusalResponses(guardReasons(signedIn), httpError),
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
          ...refusalResponses(["UNAVAILABLE"], httpError),
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
          503: { description: "They do not.", content: jsonContent(statusSchema("unavailable", "problem")) },
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
