// Formats the result of a benchmark as Markdown: its tables, then each promise with its figure and whether it holds.
import { median, quantile, ratios } from './statistics.mjs';

/** A row of a table: a label, the median, and the range of the middle half of the samples. */
export function spread(label, samples, digits) {
  const show = (value) => value.toFixed(digits);
  return [label, show(median(samples)), `${show(quantile(samples, 0.25))} to ${show(quantile(samples, 0.75))}`];
}

/** A table with one contender a row: median, middle half, and median of the pairs' ratios to `reference`. A failed contender has no figures. */
export function comparison({ samples, faults, unit, digits, reference }) {
  const rows = Object.entries(samples).map(([name, each]) => [
    ...spread(name, each, digits),
    samples[reference] ? median(ratios(each, samples[reference])).toFixed(2) : '',
  ]);
  const failed = Object.entries(faults).map(([name, fault]) => [`${name}: ${fault}`, '', '', '']);
  return { columns: ['', `median, ${unit}`, 'middle half', `times ${reference}, of pairs`], rows: [...rows, ...failed] };
}

/**
 * @param {{text: string, value?: number, limit?: number, digits?: number, unit?: string, below?: boolean, absent?: string}} promise
 *   `below`: the value must be less than the limit, not equal; `absent`: the reason why there is no measurement. A missing value without
 *   `absent` breaks the promise
 */
export function promise({ text, value, limit = NaN, digits = 0, unit = '', below = false, absent }) {
  const holds = absent !== undefined || (value !== undefined && (below ? value < limit : value <= limit));
  return { text, value, limit, digits, unit, absent, holds };
}

export function formatResult({ title, tables, promises, skipped }) {
  const parts = [`${title}.\n`];
  if (skipped !== undefined) parts.push(`Skipped: ${skipped}.\n`);
  for (const table of tables) parts.push(...(table.title ? [`${table.title}:\n`] : []), formatTable(table));
  if (promises.length > 0) parts.push(promises.map((each) => `- ${formatPromise(each)}\n`).join(''));
  return parts.join('\n');
}

function formatPromise({ text, value, digits, unit, holds, absent }) {
  if (absent !== undefined) return `Not measured (${absent}): ${text}.`;
  return `${holds ? 'Holds' : '**Does not hold**'}: ${text}; ${value === undefined ? 'there is no figure' : `it is ${value.toFixed(digits)}${unit}`}.`;
}

/** The first column has text; all others have figures. */
function formatTable({ columns, rows }) {
  const cells = [columns, ...rows];
  const widths = columns.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return `${[line(columns), rule, ...rows.map(line)].join('\n')}\n`;
}
