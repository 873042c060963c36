/** An environment that cannot be used. The message names every variable that is wrong, and never a value. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
  // Not a field: Node.js prints the fields of an error that nobody caught, and the message says it all.
  readonly #mistakes: readonly string[];

  constructor(mistakes: readonly string[], options?: ErrorOptions) {
    const [only] = mistakes;
    const message =
      mistakes.length === 1 ? `${only}.` : `The environment has ${mistakes.length} mistakes:\n${bullets(mistakes)}`;
    super(message, options);
    this.#mistakes = mistakes;
  }

  /** A phrase each, as in `PORT must be a whole number from 0 to 65535`. */
  get mistakes(): readonly string[] {
    return this.#mistakes;
  }
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `  - ${line}`).join("\n");
}
