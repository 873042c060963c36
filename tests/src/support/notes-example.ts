import { type Example, startExample } from "./example.ts";

/** Starts `examples/notes`, and waits until it listens. Ends with its block. */
export function notesExample(options: { readonly databaseUrl?: string } = {}): Promise<Example> {
  return startExample("notes/src/main.ts", { announces: "served at", ...options });
}
