// Formats one problem as plain text: place, message, the line with a caret, hint. The command line adds colour.
import { displayWidth } from './display-width.ts';
import type { Problem } from './types.ts';

/** A longer line is cut to this many characters around the column. */
const excerptWidth = 100;

/**
 * `file:line:column: message`, then the line of the file with a caret under the column, then the hint.
 * Control characters are escaped, so the text cannot move the cursor of a terminal or change its colours.
 */
export function formatProblem(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined && part !== '').join(':');
  const severity = problem.severity === 'warning' ? 'warning: ' : '';
  const lines = [printable(`${place === '' ? '' : `${place}: `}${severity}${problem.message}`)];
  if (problem.excerpt !== undefined) lines.push(...excerpt(problem.excerpt, problem.column));
  if (problem.hint !== undefined) lines.push(`  hint: ${printable(problem.hint)}`);
  return lines.join('\n');
}

function excerpt(line: string, column: number | undefined): string[] {
  const at = Math.min((column ?? 1) - 1, line.length);
  const from = line.length <= excerptWidth ? 0 : wholeCharacter(line, Math.max(0, Math.min(at - excerptWidth / 2, line.length - excerptWidth)));
  const to = wholeCharacter(line, from + excerptWidth);
  const before = `${from > 0 ? '…' : ''}${printable(line.slice(from, at))}`;
  const after = `${printable(line.slice(at, to))}${to < line.length ? '…' : ''}`;
  const shown = `  ${before}${after}`.trimEnd();
  return column === undefined ? [shown] : [shown, `  ${' '.repeat(displayWidth(before))}^`];
}

/** The index, or the one before it if it is between the two halves of a character (a surrogate pair). */
function wholeCharacter(text: string, index: number): number {
  return /[\udc00-\udfff]/.test(text[index] ?? '') && index > 0 ? index - 1 : index;
}

/**
 * Escapes every character on which a terminal would act, for instance as `\x1b`. This includes Unicode's bidirectional controls,
 * which reorder the text around them ("Trojan Source"). A tab becomes one space.
 */
export function printable(text: string): string {
  return text
    .replaceAll('\t', ' ')
    .replace(/[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => {
      const code = character.charCodeAt(0).toString(16);
      return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
    });
}

/** A word of the user's for a message: in backticks, on one line, cut after 60 characters. */
export function quoted(word: string): string {
  const shown = word.length > 60 ? `${word.slice(0, 57)}…` : word;
  return `\`${printable(shown)}\``;
}
