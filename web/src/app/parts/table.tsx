import type { ReactNode } from "react";
import styles from "./table.module.css";

export interface Column<Row> {
  readonly name: string;
  readonly cell: (row: Row) => ReactNode;
}

/** A table, whose rows become cards where there is no room for one. The first column is what a row is called by. */
export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
}: {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
}) {
  const [first, ...others] = columns;
  // The roles are said, since a card is no row of a table to a browser any more.
  return (
    // biome-ignore lint/a11y/noRedundantRoles: see above.
    <table role="table" className={styles.table}>
      <caption className={styles.caption}>{caption}</caption>
      {/* biome-ignore lint/a11y/noRedundantRoles: see above. */}
      <thead role="rowgroup">
        {/* biome-ignore lint/a11y/noRedundantRoles: see above. */}
        <tr role="row">
          {columns.map(({ name }) => (
            // biome-ignore lint/a11y/noRedundantRoles: see above.
            <th key={name} role="columnheader" scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      {/* biome-ignore lint/a11y/noRedundantRoles: see above. */}
      <tbody role="rowgroup">
        {rows.map((row) => (
          // biome-ignore lint/a11y/noRedundantRoles: see above.
          <tr key={keyOf(row)} role="row">
            {/* biome-ignore lint/a11y/noRedundantRoles: see above. */}
            <th role="rowheader" scope="row" data-label={first?.name}>
              {first?.cell(row)}
            </th>
            {others.map(({ name, cell }) => (
              // biome-ignore lint/a11y/noRedundantRoles: see above.
              <td key={name} role="cell" data-label={name}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
