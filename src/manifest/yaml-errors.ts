// Gives the syntax errors of the `yaml` package plain messages.
import type { YAMLError } from 'yaml';
import { maxProblems } from './limits.ts';
import type { ProblemList } from './problem-list.ts';

type Words = readonly [message: string, hint?: string];

/** Message and hint for each error code of the package. For other codes its own message is good enough. */
const words: Partial<Record<YAMLError['code'], Words>> = {
  TAB_AS_INDENT: ['A tab cannot indent YAML.', 'use spaces'],
  BAD_INDENT: ['This line is indented differently from those it belongs to.', 'entries of one map or list begin in the same column'],
  BLOCK_AS_IMPLICIT_KEY: ['A second `key:` on one line.', 'put it on a line of its own, or quote the value'],
  BLOCK_IN_FLOW: ['A block cannot stand within `{…}` or `[…]`.', 'is a closing bracket missing above?'],
  MULTILINE_IMPLICIT_KEY: ['A key must stand on one line and be followed by `:`.', 'is a `:` missing, or the indentation?'],
  KEY_OVER_1024_CHARS: ['A key may not be longer than 1024 characters.'],
  BAD_SCALAR_START: ['A plain value cannot begin with this character.', 'quote the value'],
  BAD_DQ_ESCAPE: ['YAML does not know this escape in a text in double quotes.', 'write `\\\\` for a backslash, or use single quotes'],
  BAD_ALIAS: ['This is not the name of an anchor.', 'quote a value that begins with `*` or `&`'],
  ALIAS_PROPS: ['An alias cannot have an anchor or a tag of its own.'],
  MULTIPLE_ANCHORS: ['A value can have one anchor only.'],
  MULTIPLE_TAGS: ['A value can have one tag only.'],
  BAD_DIRECTIVE: ['A line that begins with `%` is not understood here.', 'quote a value that begins with `%`'],
};

/** Reports the errors that a user can fix: the first of each line, without errors that only follow from an earlier one. */
export function reportYamlErrors(errors: readonly YAMLError[], text: string, problems: ProblemList): void {
  const lines = new Set<number>();
  for (const error of errors) {
    // More are not shown, and a broken file of a million lines may have one on each.
    if (lines.size > maxProblems) break;
    // YAML reads the `{` of `${` as a map, and stumbles over it. For a user the mistake begins at the `$`.
    const isExpansion = text.startsWith('${', error.pos[0] - 1);
    const offset = error.pos[0] - (isExpansion ? 1 : 0);
    const line = problems.line(offset);
    // After the first error the parser may lose the structure. Then it reports every further line as "in YAML stream", even a valid one.
    if (lines.has(line) || (lines.size > 0 && error.message.includes('in YAML stream'))) continue;
    lines.add(line);
    const [message, hint] = wording(error);
    problems.error(offset, message, isExpansion ? 'within `{…}` or `[…]` a value with `${…}` must be quoted' : hint);
  }
}

/** One code may stand for several mistakes. The start of the package's message distinguishes these. */
const beginnings: readonly { readonly begin: RegExp; readonly words: Words }[] = [
  {
    begin: /^Flow (sequence|map) in block/,
    words: ['A `[` or `{` from above is not closed before this line.', 'close it, or indent this line further if it belongs into it'],
  },
  { begin: /^Missing closing .quote/, words: ['A quote is opened and not closed before here.'] },
  { begin: /^Implicit map keys need to be followed/, words: ['This key has no value: a `:` is missing.'] },
];

function wording(error: YAMLError): Words {
  const special = beginnings.find(({ begin }) => begin.test(error.message));
  if (special !== undefined) return special.words;
  return words[error.code] ?? [sentence(error.message)];
}

function sentence(message: string): string {
  const first = (message.split('\n')[0] ?? '').replace(/[.:\s]+$/, '');
  return `This is not valid YAML: ${first.charAt(0).toLowerCase()}${first.slice(1)}.`;
}
