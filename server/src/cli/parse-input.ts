import { AuthError } from "@countersign/shared";
import type { z } from "zod";

/** Checks what was typed with the schema that checks what comes over the wire. @throws {AuthError} `BAD_REQUEST` */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const { success, data, error } = schema.safeParse(input);
  if (success) return data;
  const issues = error.issues.map(({ path, message }) => ({ path: path.map(String), message }));
  throw new AuthError("BAD_REQUEST", { issues }, issues.map(({ message }) => message).join("\n"));
}
