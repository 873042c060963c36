/** A command that was used wrongly: exit code 2. The message says how it is used. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
