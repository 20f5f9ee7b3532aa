// Finds the lines of an env file that the `dotenv` library passes over in silence, or reads in an unexpected way. env-file.ts reports them.

export interface EnvLineMistake {
  readonly offset: number;
  readonly message: string;
}

/**
 * One entry, as the library reads it (the expression `LINE` of its source, with `[^\S\n]*` in place of a leading `\s*`, and sticky). A value
 * in quotes may go over several lines.
 */
const entry = /[^\S\n]*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/dmy;

/** @param text with `\n` as its only line end. @returns the mistakes, in the order of the file, and the names that are read. */
export function readEnvLines(text: string): { readonly names: readonly string[]; readonly mistakes: readonly EnvLineMistake[] } {
  const names: string[] = [];
  const mistakes: EnvLineMistake[] = [];
  for (let at = 0; at < text.length; ) {
    const end = endOfLine(text, at);
    const line = text.slice(at, end).trim();
    if (line === '' || line.startsWith('#')) {
      at = end + 1;
      continue;
    }
    entry.lastIndex = at;
    const match = entry.exec(text);
    if (match === null) {
      mistakes.push({ offset: at + text.slice(at, end).search(/\S/), message: messageFor(line) });
      at = end + 1;
      continue;
    }
    names.push(match[1] ?? '');
    const mistake = valueMistake(text, match);
    if (mistake !== undefined) mistakes.push(mistake);
    at = endOfLine(text, entry.lastIndex) + 1;
  }
  return { names, mistakes };
}

/** U+2028 and U+2029 end a line for `$` in an expression, so for the library too. */
const lineEnd = /[\n\u2028\u2029]/g;

function endOfLine(text: string, from: number): number {
  lineEnd.lastIndex = from;
  return lineEnd.exec(text)?.index ?? text.length;
}

/** No message repeats the line: it may be a part of a secret. */
function messageFor(line: string): string {
  const before = 'This line is not `NAME=value` and is left out';
  const name = line.replace(/^export\s+/, '');
  if (/^[\w.-]+$/.test(name)) return `${before}: a \`=\` is missing.`;
  if (/^[\w.-]+:\S/.test(name)) return `${before}: write \`=\` in place of the \`:\`.`;
  if (name.includes('=')) return `${before}: a name is made of letters, digits, \`_\`, \`.\` and \`-\`.`;
  return `${before}.`;
}

/** A value that the library reads, but probably not as it is meant. */
function valueMistake(text: string, match: RegExpExecArray): EnvLineMistake | undefined {
  const [, name = '', raw = ''] = match;
  const [start = 0, end = 0] = match.indices?.[2] ?? [];
  const value = raw.trim();
  const quote = /^['"`]/.exec(value)?.[0];
  if (quote !== undefined) {
    const isClosed = value.length > 1 && value.endsWith(quote);
    return isClosed ? undefined : { offset: start + raw.search(/\S/), message: `The value of \`${name}\` begins with a quote that does not close it, so the quote is a part of the value.` };
  }
  // Behind an empty value the comment may be on a later line. The blank before it tells.
  const comment = match[2] === undefined ? match.index + match[0].indexOf('#') : end;
  const isGlued = text[comment] === '#' && !/\s/.test(text[comment - 1] ?? ' ');
  return isGlued ? { offset: comment, message: `The value of \`${name}\` ends before this \`#\`, which begins a comment. Put the value in quotes if the \`#\` belongs to it.` } : undefined;
}
