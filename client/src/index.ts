/** What the package promises. */

export type { Failure, ProcedurePath, Reason, ReasonsOf } from "@countersign/shared";
export { isAuthError } from "@countersign/shared";
export {
  type AuthClient,
  type AuthClientOptions,
  createAuthClient,
  type RouterWithAuth,
} from "./create-auth-client.ts";
export { failureOf, type UndeclaredFailure } from "./failure-of.ts";
export { type FieldErrors, fieldErrorsOf } from "./field-errors-of.ts";
export { createRequestClient, type RequestClientOptions } from "./request-client.ts";
export type {
  Session,
  SessionEvent,
  SignedInSession,
  SignedOutReason,
  SignedOutSession,
  StartingSession,
} from "./session.ts";
export type { StepUpRequest } from "./step-up.ts";
export type { TokenStorage } from "./token-place.ts";
