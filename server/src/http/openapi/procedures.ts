/** A tRPC procedure as the HTTP operation that it is. */
import type { AuthError, Reason, WireError } from "@countersign/shared";
import { type AnyTRPCRouter, TRPCError } from "@trpc/server";
import { TRPC_ERROR_CODES_BY_KEY } from "@trpc/server/rpc";
import type { BuiltProcedure } from "../../trpc/access.ts";
import { errorFormatter, toTRPCError } from "../../trpc/errors.ts";
import { guardReasons } from "../../trpc/guard-reasons.ts";
import { type Demands, readDemands } from "../../trpc/guards.ts";
import { readRaised } from "../../trpc/raises.ts";
import { type JsonObject, jsonContent } from "./json.ts";
import { describeRefusal, examplesOf, refusalResponses } from "./refusals.ts";
import { type DescribedSchemas, isOptional } from "./schemas.ts";

/** What the router's transformer makes of a value: of its schema, and of the value itself. */
export interface Envelope {
  readonly schemaOf: (schema: JsonObject) => JsonObject;
  readonly valueOf: (value: unknown) => unknown;
}

/** Whether a router's transformer packs values as superjson does: `{ "json": … }`. What it does to a value tells. */
export function speaksSuperjson(router: AnyTRPCRouter): boolean {
  const packed: unknown = router._def._config.transformer.output.serialize("");
  return typeof packed === "object" && packed !== null && "json" in packed;
}

/** superjson's envelope. Its `meta`, for the types that JSON lacks, may be left out, and is not described. */
export const superjsonEnvelope: Envelope = {
  schemaOf: (json) => ({ type: "object", properties: { json }, required: ["json"] }),
  valueOf: (json) => ({ json }),
};

/** No transformer: values as they are. */
export const noEnvelope: Envelope = { schemaOf: (schema) => schema, valueOf: (value) => value };

/** The path item of one procedure. */
export function procedureItem(
  path: string,
  procedure: BuiltProcedure,
  { schemas, envelope }: { readonly schemas: DescribedSchemas; readonly envelope: Envelope },
): JsonObject {
  const { type, middlewares } = procedure._def;
  const demands = readDemands(middlewares);
  const reasons = reasonsOf(procedure, demands);
  const input = schemas.inputs[path];
  const possible = examplesOf(reasons, demands);
  const operation = {
    operationId: path,
    tags: [path.includes(".") ? path.slice(0, path.indexOf(".")) : "procedures"],
    description: describeDemands(demands),
    security: securityOf(demands),
    "x-countersign-demands": demands === null ? null : { ...demands },
    "x-countersign-reasons": reasons,
    ...(type === "mutation"
      ? { requestBody: bodyOf(procedure, input, envelope) }
      : input && { parameters: [inputParameter(procedure, input, envelope)] }),
    responses: {
      ...(type === "subscription"
        ? { 200: eventStream(possible) }
        : {
            200: result(schemas.outputs[path] ?? {}, envelope),
            ...refusalResponses(possible, {
              schema: procedureError,
              bodyOf: (refusal) => ({ error: envelope.valueOf(wireErrorOf(refusal, path)) }),
            }),
          }),
      default: {
        description: "Any other error, as those of the procedure itself.",
        content: jsonContent(procedureError, { unexpected: { error: envelope.valueOf(unexpectedError(path)) } }),
      },
    },
  };
  return type === "mutation" ? { post: operation } : { get: operation };
}

/** What the types of clients say too: the reasons of the guard, those that the procedure declares, and of its input. */
function reasonsOf({ _def }: BuiltProcedure, demands: Demands | null): Reason[] {
  const ofInput: Reason[] = _def.inputs.length > 0 ? ["BAD_REQUEST"] : [];
  return [...new Set([...ofInput, ...guardReasons(demands), ...readRaised(_def.middlewares)])];
}

const procedureError = { $ref: "#/components/schemas/ProcedureError" };

/** A refusal as a procedure sends it. */
function wireErrorOf(refusal: AuthError, path: string): WireError {
  const error = toTRPCError(refusal);
  const shape = { code: TRPC_ERROR_CODES_BY_KEY[error.code], data: { httpStatus: refusal.status } };
  return errorFormatter({ error, path, shape });
}

/** What is sent of an error that nobody foresaw. */
function unexpectedError(path: string): WireError {
  const error = new TRPCError({ code: "INTERNAL_SERVER_ERROR" });
  const shape = { code: TRPC_ERROR_CODES_BY_KEY.INTERNAL_SERVER_ERROR, data: { httpStatus: 500 } };
  return errorFormatter({ error, path, shape });
}

/** Refusals are events too, at the opening and later: an `EventSource` shows its page nothing of another status. */
function eventStream(possible: readonly AuthError[]): JsonObject {
  const description = [
    "Server-sent events: each one's `data` is a value, packed like the result of a query.",
    "The event `serialized-error` is the last one, and its `data` the `error` of a procedure that fails. " +
      "It comes at once when the caller is refused, and later when the sign-in ends. The event `return` says that nothing more comes.",
    ...possible.map(describeRefusal),
  ];
  return { description: description.join("\n\n"), content: { "text/event-stream": { schema: { type: "string" } } } };
}

function result(output: JsonObject, envelope: Envelope): JsonObject {
  const data = envelope.schemaOf(output);
  const schema = {
    type: "object",
    properties: { result: { type: "object", properties: { data } } },
    required: ["result"],
  };
  return { description: "The result.", content: jsonContent(schema) };
}

function inputParameter(procedure: BuiltProcedure, input: JsonObject, envelope: Envelope): JsonObject {
  const required = !procedure._def.inputs.every(isOptional);
  return { name: "input", in: "query", required, content: jsonContent(envelope.schemaOf(input)) };
}

/** Every mutation has a body, if an empty one: a POST without a content type is refused. */
function bodyOf(procedure: BuiltProcedure, input: JsonObject | undefined, envelope: Envelope): JsonObject {
  const required = !procedure._def.inputs.every(isOptional);
  return { required, content: jsonContent(envelope.schemaOf(input ?? { type: "null" })) };
}

function securityOf(demands: Demands | null): JsonObject[] {
  return demands?.signedIn ? [{ password: [...demands.scopes] }, { bearer: [] }] : [];
}

function describeDemands(demands: Demands | null): string {
  if (demands === null) return "Declares nothing about its callers.";
  if (!demands.signedIn) return "For everyone.";
  const { scopes, roles, maxAge } = demands;
  return [
    "For signed-in callers.",
    ...(scopes.length > 0 ? [`Scope: ${codes(scopes)}.`] : []),
    ...(roles.length > 0 ? [`Role: ${codes(roles)}.`] : []),
    ...(maxAge === null ? [] : [`The sign-in may be at most ${maxAge} seconds old.`]),
  ].join(" ");
}

function codes(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(" and ");
}
