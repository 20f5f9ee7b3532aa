// Formats one problem as plain text: place, message, the line with a caret, hint. The command line adds colour.
import { displayWidth } from './display-width.ts';
import { joined, printable, shown, type Shown } from './shown.ts';
import type { Problem } from './types.ts';

/** A longer line is cut to this many characters around the column. */
const excerptWidth = 100;

/** All problems of a manifest, with blank lines between. Each warning says whose it is. The caller does that for the first error. */
export function formatProblems(problems: readonly Problem[]): Shown {
  const texts = problems.map((problem, index) => {
    const isNamedByCaller = index === 0 && problems.some(({ severity }) => severity === 'error');
    return problem.severity === 'warning' && !isNamedByCaller ? joined([shown`procrun: `, formatProblem(problem)]) : formatProblem(problem);
  });
  return joined(texts, shown`\n\n`);
}

/**
 * `file:line:column: message`, then the line of the file with a caret under the column, then the hint.
 */
export function formatProblem(problem: Problem): Shown {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined && part !== '').join(':');
  const severity = problem.severity === 'warning' ? 'warning: ' : '';
  const lines = [printable(`${place === '' ? '' : `${place}: `}${severity}${problem.message}`)];
  if (problem.excerpt !== undefined) lines.push(...excerpt(problem.excerpt, problem.column));
  if (problem.hint !== undefined) lines.push(shown`  hint: ${problem.hint}`);
  return joined(lines, shown`\n`);
}

function excerpt(line: string, column: number | undefined): Shown[] {
  const at = Math.min((column ?? 1) - 1, line.length);
  const from = line.length <= excerptWidth ? 0 : wholeCharacter(line, Math.max(0, Math.min(at - excerptWidth / 2, line.length - excerptWidth)));
  const to = wholeCharacter(line, from + excerptWidth);
  const before = `${from > 0 ? '…' : ''}${printable(line.slice(from, at))}`;
  const after = `${printable(line.slice(at, to))}${to < line.length ? '…' : ''}`;
  const text = printable(`  ${before}${after}`.trimEnd());
  return column === undefined ? [text] : [text, shown`  ${' '.repeat(displayWidth(before))}^`];
}

/** The index, or the one before it if it is between the two halves of a character (a surrogate pair). */
function wholeCharacter(text: string, index: number): number {
  return /[\udc00-\udfff]/.test(text[index] ?? '') && index > 0 ? index - 1 : index;
}
