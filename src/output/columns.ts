// Lines of cells in columns. Each cell becomes one printable line, so that no tab and no line end in it can move a column or forge a row.
import { joined, padded, printable, shown, type Shown } from '../manifest/shown.ts';

/** One line a row, without trailing blanks. Each column is as wide as the widest printable text in it. */
export function columns(rows: readonly (readonly string[])[]): Shown[] {
  const cells = rows.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of cells) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return cells.map((row) => printable(joined(row.map((cell, column) => padded(cell, widths[column] ?? 0)), shown`  `).trimEnd()));
}
