/** The OpenAPI document of an app: its plain routes, and the procedures of the router that it serves. */
import type { AnyTRPCRouter } from "@trpc/server";
import { loadLazyRouters, proceduresOf } from "../../trpc/access.ts";
import type { JsonObject } from "./json.ts";
import { plainInputs, plainItems, plainOutputs } from "./plain-routes.ts";
import { noEnvelope, procedureItem, speaksSuperjson, superjsonEnvelope } from "./procedures.ts";
import { httpErrorSchema, procedureErrorSchema, refusalHeaderComponents } from "./refusals.ts";
import { allOf, describeSchemas } from "./schemas.ts";

export interface DocumentOptions {
  readonly issuer: string;
  /** Scopes by name, each with a sentence for people. */
  readonly scopes: Readonly<Record<string, string>>;
}

/**
 * Describes what an app serves, from the schemas that parse it and the guards that protect it (OpenAPI 3.1). The same
 * router gives the same document.
 */
export async function describeApp(router: AnyTRPCRouter, { issuer, scopes }: DocumentOptions): Promise<JsonObject> {
  await loadLazyRouters(router);
  const procedures = proceduresOf(router);
  const isSuperjson = speaksSuperjson(router);
  const envelope = isSuperjson ? superjsonEnvelope : noEnvelope;
  const schemas = describeSchemas({
    inputs: {
      ...plainInputs,
      ...Object.fromEntries(
        procedures.flatMap(([path, { _def }]) => (_def.inputs.length > 0 ? [[path, allOf(_def.inputs)]] : [])),
      ),
    },
    outputs: {
      ...plainOutputs,
      ...Object.fromEntries(procedures.flatMap(([path, { _def }]) => (_def.output ? [[path, _def.output]] : []))),
    },
  });
  const procedureItems = procedures.map(([path, procedure]) => [
    `/trpc/${encodeURIComponent(path)}`,
    procedureItem(path, procedure, { schemas, envelope }),
  ]);

  return {
    openapi: "3.1.0",
    info: {
      title: `API of ${new URL(issuer).host}`,
      version: "1",
      description: [...introduction, ...(isSuperjson ? aboutSuperjson : [])].join("\n\n"),
    },
    paths: { ...plainItems(schemas), ...Object.fromEntries(procedureItems) },
    components: {
      schemas: {
        ...schemas.components,
        HttpError: httpErrorSchema,
        ProcedureError: {
          type: "object",
          properties: { error: envelope.schemaOf(procedureErrorSchema) },
          required: ["error"],
        },
      },
      headers: refusalHeaderComponents,
      securitySchemes: {
        password: {
          type: "oauth2",
          description:
            "Sign in with a username and a password: every call of this page then carries the access token. Choose scopes, or none for all that you may have.",
          flows: { password: { tokenUrl: "/token", refreshUrl: "/token", scopes } },
        },
        bearer: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "An access token, from `POST /token` or `auth.login`.",
        },
      },
    },
  };
}

const introduction = [
  "The tRPC procedures are under `/trpc`: a query is a GET with its input, as JSON, in `input`; a mutation is a POST; a subscription is a GET that answers with server-sent events.",
  "What a procedure demands of its callers is in `x-countersign-demands`.",
];

const aboutSuperjson = [
  'Values in `{ "json": … }` are superjson\'s: beside `json` there may be a `meta`, which names the types that JSON lacks.',
  'An input that has a date in it has to name it: `{ "json": { "dueAt": "2026-01-31T00:00:00Z" }, "meta": { "values": { "dueAt": ["Date"] } } }`.',
];
