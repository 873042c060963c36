/** The words that server and client share. Free of zod, so that a browser may import all of it. */

export { auditKinds } from "./audit-kinds.ts";
export { AuthError, reasons } from "./errors.ts";
export type { Principal } from "./principal.ts";
export type {
  DetailsOf,
  ErrorWithReason,
  Failure,
  InputIssue,
  PasswordField,
  PasswordRule,
  Reason,
  ReasonDetails,
} from "./reasons.ts";
export { isAuthError, isReason } from "./reasons.ts";
export type { InputOf, ProcedurePath, Raised, ReasonsOf, RouterLike } from "./reasons-of.ts";
export { defaultReturnPath, returnPath } from "./return-path.ts";
export type { Transformer, WireError, WireErrorData } from "./wire.ts";
export { callerTransformer, transformer } from "./wire.ts";
