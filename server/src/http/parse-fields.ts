import { AuthError } from "@countersign/shared";
import type { z } from "zod";
import { readIssues, toSentence } from "../input-issues.ts";

/** What the fields of a form are to a flow. @throws {AuthError} `BAD_REQUEST`, with each issue. */
export function parseFields<Schema extends z.ZodType>(schema: Schema, fields: unknown): z.output<Schema> {
  const parsed = schema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const issues = readIssues(parsed.error.issues);
  throw new AuthError("BAD_REQUEST", { issues }, issues.map(toSentence).join("; "));
}
