/** What the package promises. */

export type { Failure, Reason } from "@countersign/shared";
export { isAuthError } from "@countersign/shared";
export {
  type AuthClient,
  type AuthClientOptions,
  createAuthClient,
  type RouterWithAuth,
} from "./create-auth-client.ts";
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
export type { TokenStorage } from "./token-storage.ts";
