/** What commands print: JSON for programs, aligned columns for people. */

/** Prints a value as JSON. Dates become ISO 8601. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}

/** Prints rows under headings; `none` where there are no rows. */
export function printTable(
  headings: readonly string[],
  rows: readonly (readonly unknown[])[],
  { none = "There is nothing to show." }: { none?: string } = {},
): void {
  if (rows.length === 0) {
    console.log(none);
    return;
  }
  const lines = [headings, ...rows.map((row) => row.map(toCell))];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  for (const line of lines) {
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  }
}

/** Prints what was looked at, whether it is well, and what it is like. */
export function printFinding({ check, ok, message }: { check: string; ok: boolean; message: string }): void {
  console.log(`${ok ? "ok     " : "problem"}  ${check.padEnd(13)}  ${message}`);
}

/** Prints one thing, a line a field. */
export function printFields(fields: Readonly<Record<string, unknown>>): void {
  const width = Math.max(...Object.keys(fields).map(({ length }) => length));
  for (const [name, value] of Object.entries(fields)) console.log(`${name.padEnd(width)}  ${toCell(value)}`);
}

function toCell(value: unknown): string {
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return "-";
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "boolean") return value ? "yes" : "no";
  const text = Array.isArray(value) ? value.join(", ") : String(value);
  // A stranger chose the user agent: it must not steer the terminal of whoever lists sessions.
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\u{FFFD}");
}
