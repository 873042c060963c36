/** A command that was used wrongly: exit code 2. The message says how it is used. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A command that could not do what was asked, or found what it looks for: exit code 1. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
