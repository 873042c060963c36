/** JSON, and the part of it that describes a value: a JSON Schema (draft 2020-12), which is OpenAPI 3.1's own. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** A content of JSON with this schema. */
export function jsonContent(schema: JsonObject): JsonObject {
  return { "application/json": { schema } };
}
