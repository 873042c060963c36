import type { AuthError } from "@countersign/shared";
import type { Log } from "../deps.ts";

/** Logs what is behind a refusal, if it is the server's own failure: the caller is told that it is so, the operator why. */
export function logFailure(log: Log, refusal: AuthError, fields: { readonly requestId: string | null }): void {
  if (refusal.cause !== undefined) log.error({ ...fields, err: refusal }, `a request was refused as ${refusal.reason}`);
}
