/** What a failure says to the operator, and what it leaves in the log. */
import { AuthError } from "@countersign/shared";
import { SealingError } from "./crypto/sealing.ts";
import { EnvironmentError } from "./environment-error.ts";
import { ListenError } from "./http/serve.ts";
import { StoreError } from "./store/database.ts";

/** Exit codes of the process and of every command. */
export const exitCodes = { failed: 1, misused: 2 } as const;

/** The sentence of an error that was written for people; `null` for an error that nobody expected. */
export function sentenceOf(error: unknown): string | null {
  const ours = [AuthError, StoreError, SealingError, ListenError, EnvironmentError];
  return error instanceof Error && ours.some((kind) => error instanceof kind) ? error.message : null;
}

/** 2 where the configuration has to change, 1 otherwise. */
export function exitCodeOf(error: unknown): number {
  return error instanceof EnvironmentError ? exitCodes.misused : exitCodes.failed;
}

/** An error as the log shows it. */
export interface LoggedError {
  readonly type: string;
  readonly message?: string;
  readonly code?: string;
  /** Where it was made: places in the program, without the error's text. */
  readonly stack?: readonly string[];
  readonly cause?: LoggedError;
}

/**
 * What may be written down of an error. The text of an error that is not ours stays out: JSON's quotes the request, a
 * resolver's may hold anything. Its class, its code and its place in the program are enough to find it.
 */
export function describeError(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error };
  const message = sentenceOf(error);
  return {
    type: error.constructor.name,
    ...(message !== null && { message }),
    ...("code" in error && isCode(error.code) && { code: error.code }),
    stack: placesOf(error),
    ...(error.cause instanceof Error && error.cause !== error && { cause: describeError(error.cause) }),
  };
}

/** As in `SQLITE_BUSY` or `ECONNRESET`, or PostgreSQL's five characters, as in `53300`. */
function isCode(code: unknown): code is string {
  return typeof code === "string" && /^([A-Z][A-Z\d_]{1,63}|[\dA-Z]{5})$/.test(code);
}

function placesOf({ stack = "" }: Error): string[] {
  return stack
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^at .*(:\d+:\d+\)?|<anonymous>\)?)$/.test(line));
}
