/** A row that would have been the second of its kind. Never leaves the server: flows turn it into a reason. */
export class UniqueViolation extends Error {
  override readonly name = "UniqueViolation";
  /** As in `accounts`. */
  readonly table: string;
  /** As in `username_key`: the first, where the key has several columns. */
  readonly column: string;

  constructor(table: string, column: string, { cause }: { cause?: unknown } = {}) {
    super(`A row with the same "${column}" exists in "${table}".`, { cause });
    this.table = table;
    this.column = column;
  }
}
