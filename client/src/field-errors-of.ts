import { type InputOf, isAuthError, type ProcedurePath, type RouterLike } from "@countersign/shared";

/** A sentence for each field that is wrong. */
export type FieldErrors<Field extends string> = { readonly [F in Field]?: string };

type FieldsOf<Input> = Input extends object ? keyof Input & string : never;

/**
 * Reads from an error which fields of a form are wrong: those of `BAD_REQUEST`, and those that `USERNAME_TAKEN`,
 * `EMAIL_TAKEN` and `WEAK_PASSWORD` are about. What is wrong within a field counts as the field's, and the first
 * sentence stands. Empty for any other error.
 *
 * @example
 * ```ts
 * const { username, password } = fieldErrorsOf<AppRouter, "auth.register">(error);
 * ```
 */
export function fieldErrorsOf<Router extends RouterLike, Path extends ProcedurePath<Router>>(
  error: unknown,
): FieldErrors<FieldsOf<InputOf<Router, Path>>>;
export function fieldErrorsOf(error: unknown): Record<string, string> {
  const errors: Record<string, string> = {};
  if (isAuthError(error)) {
    const { data, message } = error;
    if (data.reason === "BAD_REQUEST") {
      for (const { path, message } of data.details.issues) if (path[0] !== undefined) errors[path[0]] ??= message;
    }
    if (data.reason === "USERNAME_TAKEN") errors.username = message;
    if (data.reason === "EMAIL_TAKEN") errors.email = message;
    if (data.reason === "WEAK_PASSWORD") errors[data.details.field] = message;
  }
  return errors;
}
