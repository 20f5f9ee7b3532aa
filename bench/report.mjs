// What a benchmark found, in Markdown: its tables, then each promise with the figure and whether it holds.
import { median, quantile } from './statistics.mjs';

/** A row of a table: a label, the median, and between which values the middle half of the samples lies. */
export function spread(label, samples, digits) {
  const show = (value) => value.toFixed(digits);
  return [label, show(median(samples)), `${show(quantile(samples, 0.25))} to ${show(quantile(samples, 0.75))}`];
}

/** @param {{text: string, value: number, limit: number, digits: number, unit?: string, below?: boolean}} promise `below`: the limit itself is too much */
export function promise({ text, value, limit, digits, unit = '', below = false }) {
  return { text, value, limit, digits, unit, holds: below ? value < limit : value <= limit };
}

export function formatResult({ name, title, tables, promises, skipped }) {
  const parts = [`## ${name}: ${title}\n`];
  if (skipped !== undefined) parts.push(`Skipped: ${skipped}.\n`);
  for (const table of tables) parts.push(formatTable(table));
  for (const each of promises) parts.push(formatPromise(each));
  return parts.join('\n');
}

function formatPromise({ text, value, digits, unit, holds }) {
  return `${holds ? 'Holds' : '**Does not hold**'}: ${text}; it is ${value.toFixed(digits)}${unit}.\n`;
}

/** The first column is text, all others are figures. */
function formatTable({ columns, rows }) {
  const cells = [columns, ...rows];
  const widths = columns.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return `${[line(columns), rule, ...rows.map(line)].join('\n')}\n`;
}
