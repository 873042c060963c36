/** JSON, and the part of it that describes a value: a JSON Schema (draft 2020-12), which is OpenAPI 3.1's own. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** A content of JSON with this schema, and examples by name. */
export function jsonContent(schema: JsonObject, examples: Readonly<Record<string, unknown>> = {}): JsonObject {
  const named = Object.entries(examples).map(([name, value]) => [name, { value: onTheWire(value) }]);
  return { "application/json": { schema, ...(named.length > 0 && { examples: Object.fromEntries(named) }) } };
}

/** A value as JSON has it. */
function onTheWire(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}
