// Text in columns, for the commands that print a table.
import { joined, shown, type Shown } from '../manifest/shown.ts';
import { columns } from '../output/columns.ts';

/** Each line ends with a newline. The cells may hold any text. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): Shown {
  return joined(columns([head, ...rows]).map((line) => joined([line, shown`\n`])));
}
