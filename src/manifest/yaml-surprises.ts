// Finds values that YAML reads as less, or as something else, than they seem to say: a `!` that is a tag, a `#` that begins a comment.
// Such a file is valid, so each is a warning with the spelling that keeps the text. Only a command without its second half is an error.
import { endsInBackslash, openQuote } from './shell-text.ts';
import type { ProblemList } from './problem-list.ts';
import { quoted } from './shown.ts';
import type { ListNode, MapEntry, Node, Path, ScalarNode } from './yaml-nodes.ts';

/** How far to look around a value. The work for a file of one long line stays small. */
const neighbourhood = 300;

/** `text` is the text of the file, and `root` its tree. */
export function reportSurprises(text: string, root: Node, problems: ProblemList): void {
  new SurpriseFinder(text, problems).visit(root, []);
}

class SurpriseFinder {
  /** Aliases lead to the same node several times. */
  readonly #seen = new WeakSet<Node>();
  /** The words that may be aliases. Collected for the first anchor only. */
  #aliases: ReadonlySet<string> | undefined;

  constructor(
    private readonly text: string,
    private readonly problems: ProblemList,
  ) {}

  visit(node: Node, path: Path): void {
    if (this.#seen.has(node)) return;
    this.#seen.add(node);
    if (node.kind === 'scalar') {
      this.#visitScalar(node, path);
    } else if (node.kind === 'list') {
      if (isCommand(path)) this.#reportUnpartedWords(node);
      node.items.forEach((item, index) => this.visit(item, [...path, index]));
    } else {
      for (const [key, entry] of node.entries) {
        // Keys of the user's own have no meaning that could be missed.
        if (key.startsWith('x-') && mayHaveOwnKeys(path)) continue;
        this.#reportSwallowedValue(key, entry);
        this.visit(entry.value, [...path, key]);
      }
    }
  }

  #visitScalar(node: ScalarNode, path: Path): void {
    // An alias. Its value is visited at the anchor.
    if (this.text[node.offset] === '*') return;
    this.#reportProperties(node);
    const style = this.text[node.offset] ?? '';
    if (style === '"') this.#reportEscapes(node, isCommand(path));
    else if (!"'|>".includes(style)) this.#reportCutQuote(node);
    if (isCommand(path)) this.#reportHalves(node, style);
  }

  /** `! test -e x` is `test -e x` with a tag, and `&web node x` is `node x` with an anchor. */
  #reportProperties({ offset, end }: ScalarNode): void {
    const before = this.text.slice(Math.max(0, offset - neighbourhood), offset);
    const line = before.slice(before.lastIndexOf('\n') + 1);
    const [, properties = ''] = /(?:^|[\s,[{])((?:[!&]\S*[ \t]+)+)$/.exec(line) ?? [];
    const start = offset - properties.length;
    for (const { 0: word, index } of properties.matchAll(/\S+/g)) {
      const isLostTag = word === '!';
      const isUnusedAnchor = word.startsWith('&') && !this.#hasAlias(word.slice(1));
      if (!isLostTag && !isUnusedAnchor) continue;
      this.problems.warn(start + index, `YAML takes the ${quoted(word)} here for ${isLostTag ? 'a tag' : 'the name of an anchor'}, and not for a part of the text.`, this.#quotedForm(start, end));
    }
  }

  #hasAlias(name: string): boolean {
    this.#aliases ??= new Set([...this.text.matchAll(/\*([^\s,[\]{}]+)/g)].map(([, alias = '']) => alias.replace(/:$/, '')));
    return this.#aliases.has(name);
  }

  /** A plain text such as `echo "issue #5"`. A comment after a whole text is a comment. */
  #reportCutQuote({ offset, end, source }: ScalarNode): void {
    const comment = /^[ \t]+(#.*)/.exec(this.text.slice(end, end + neighbourhood));
    const close = comment === null ? undefined : openQuote(source);
    if (comment === null || close === undefined || !comment[1]?.includes(close)) return;
    const wholeEnd = end + comment[0].trimEnd().length;
    this.problems.warn(end + comment[0].indexOf('#'), `YAML begins a comment at this \`#\`, in the middle of a text in ${close}.`, this.#quotedForm(offset, wholeEnd));
  }

  /** `CHANNEL: #general` has no value. A comment has a blank after its `#`. */
  #reportSwallowedValue(key: string, { keyOffset, value }: MapEntry): void {
    if (value.kind !== 'scalar' || value.value !== null || value.source !== '') return;
    // The key may be in quotes.
    const begin = keyOffset + (this.text.startsWith(key, keyOffset) ? 0 : 1) + key.length;
    const [, before, comment] = /^(["']?[ \t]*:[ \t]+)(#[^\s#!].*)/.exec(this.text.slice(begin, begin + neighbourhood)) ?? [];
    if (before === undefined || comment === undefined) return;
    const start = begin + before.length;
    this.problems.warn(start, `YAML begins a comment at this \`#\`, so ${quoted(key)} has no value.`, this.#quotedForm(start, start + comment.trimEnd().length));
  }

  /** The text in double quotes means YAML's escapes, not the shell's or those of a regular expression. */
  #reportEscapes({ offset, end }: ScalarNode, isOfCommand: boolean): void {
    for (const { 1: letter = '', index } of this.text.slice(offset, end).matchAll(/\\([^])/g)) {
      const meaning = letter === '/' && !isOfCommand ? undefined : escapes.get(letter);
      if (meaning === undefined) continue;
      this.problems.warn(offset + index, `YAML takes ${quoted(`\\${letter}`)} in double quotes for ${meaning}.`, `write ${quoted(`\\\\${letter}`)} for the two characters, or use single quotes`);
    }
  }

  #reportHalves({ offset, end, source }: ScalarNode, style: string): void {
    const hint = 'begin the command with `|`; then each of the lines below it stays a line';
    // In quotes of YAML the end of the text is where the user put it.
    if (style !== '"' && style !== "'" && endsInBackslash(source)) this.problems.error(offset, 'The command ends in `\\`: its other half is missing.', hint);
    if (style === '|' || style === '"') return;
    const joined = /(?<!\\)(?:\\\\)*\\[ \t]*\r?\n[ \t]*(?=\S)/.exec(this.text.slice(offset, end));
    if (joined !== null) this.problems.warn(offset + joined.index, 'YAML joins this line and the next one, and the `\\` then escapes the blank between them.', hint);
  }

  /** `[node server.js]` is a list of one word, and so is `[ -f x ]`. */
  #reportUnpartedWords({ items: [first, ...others], offset }: ListNode): void {
    if (first?.kind !== 'scalar' || this.text[offset] !== '[' || /["'*]/.test(this.text[first.offset] ?? '')) return;
    const [program = '', ...rest] = first.source.split(/\s+/);
    if (rest.length === 0 || (others.length > 0 && program.includes('/'))) return;
    const hint = others.length > 0 || !program.startsWith('-') ? `write ${quoted(`[${[program, ...rest].join(', ')}${others.length > 0 ? ', …' : ''}]`)}, or the text without brackets` : `write ${quoted(`'[ ${first.source} ]'`)} for the text`;
    this.problems.warn(first.offset, `In a list ${quoted(first.source)} is one word: a comma parts words, and a blank does not.`, hint);
  }

  #quotedForm(start: number, end: number): string {
    const raw = this.text.slice(start, end);
    const isPlain = !/["'|>]/.test(/[^\s!&]/.exec(raw)?.[0] ?? '') || raw.startsWith('#');
    return isPlain && raw.length <= 50 && !raw.includes('\n') ? `write ${quoted(`'${raw.replaceAll("'", "''")}'`)}` : 'put the whole text in single quotes';
  }
}

/** Escapes of YAML that shells, regular expressions or paths mean otherwise. `\n`, `\t`, `\e` and `\x1b` are meant as YAML has them. */
const escapes: ReadonlyMap<string, string> = new Map([
  ['a', 'a bell'],
  ['b', 'a backspace'],
  ['f', 'a form feed'],
  ['v', 'a vertical tab'],
  [' ', 'a blank'],
  ['/', 'a `/`'],
  ['_', 'a no-break space'],
  ['N', 'a next-line character'],
  ['L', 'a line separator'],
  ['P', 'a paragraph separator'],
]);

/** The top level, `defaults` and a process. */
function mayHaveOwnKeys(path: Path): boolean {
  return path.length === 0 || (path.length === 1 && path[0] === 'defaults') || (path.length === 2 && path[0] === 'processes');
}

/** The places of commands: a process in its short form, `command`, and `run` of a stage. */
function isCommand(path: Path): boolean {
  const [top, ...rest] = path;
  const inside = top === 'processes' ? rest.slice(1) : top === 'defaults' ? rest : undefined;
  if (inside === undefined) return false;
  if (inside.length === 0) return top === 'processes' && path.length === 2;
  if (inside.length === 1) return inside[0] === 'command';
  return inside[0] === 'stop' && inside[2] === 'run' && (inside.length === 3 || (inside.length === 4 && inside[3] === 'command'));
}
