// Parses YAML text to a tree with positions, with the `yaml` package. Limits on depth, memory and aliases keep every input cheap.
// Duplicate keys, aliases and merge keys are handled here, because the positions are known here.
import {
  Composer,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  Parser,
  Scalar,
  type CST,
  type Document,
  type Node as YamlNode,
  type Pair,
} from 'yaml';
import { maxAliasedValues, maxDepth, maxKeptProblems, maxProblems, maxTokens } from './limits.ts';
import { didYouMean } from './nearest.ts';
import type { ProblemList } from './problem-list.ts';
import { quoted } from './shown.ts';
import type { SourceText } from './source.ts';
import { isBroken, type MapEntry, type ListNode, type MapNode, type Node, type ScalarNode } from './yaml-nodes.ts';
import { reportYamlErrors } from './yaml-errors.ts';

/**
 * The only document of a YAML text. `undefined` if the text is not YAML, or empty. Both are reported as problems.
 * After other mistakes (a duplicate key, an unknown tag) the tree is returned, and they are reported too.
 * @param tokenLimit see limits.ts.
 */
export function parseYaml(source: SourceText, problems: ProblemList, tokenLimit: number): Node | undefined {
  // Each syntax error of `yaml` is an Error. Stack traces for 100,000 of them would take seconds, and they are never shown.
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    const tokens = tokenize(source.text, problems, tokenLimit);
    const document = tokens && compose(tokens, source.text, problems);
    if (document === undefined) return undefined;
    if (document.contents === null || isEmptyScalar(document.contents)) {
      problems.error(undefined, 'The file is empty.', 'a manifest has at least `processes:` with one `name: command`');
      return undefined;
    }
    return new TreeBuilder(problems).node(document.contents, 0);
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function tokenize(text: string, problems: ProblemList, limit: number): CST.Token[] | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let count = 0;
  let strays = 0;
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (!blankTokens.has(token.type)) strays++;
    }
    // Outside of documents a token is a directive or a mistake. A file with so many of them is no manifest, and its first mistakes say so.
    if (strays > maxProblems) break;
    offset += lexeme.length;
    // The parser is not recursive, but the composer is. Refuse deep nesting before the composer sees it.
    if (parser.stack.length > maxDepth) {
      problems.error(Math.min(parser.offset, text.length), `Maps and lists are nested more than ${maxDepth} deep here.`);
      return undefined;
    }
    if (++count > limit) {
      problems.error(Math.min(offset, text.length), `The file has more than ${limit.toLocaleString('en')} words and signs up to here; there is no memory for more.`, memoryHint(limit));
      return undefined;
    }
  }
  tokens.push(...parser.end());
  return tokens;
}

/** Only a small heap can be made larger. */
function memoryHint(limit: number): string | undefined {
  return limit < maxTokens ? '`NODE_OPTIONS=--max-old-space-size=4096` gives procrun more memory' : undefined;
}

/** The tokens that may stand between and before documents in any number. */
const blankTokens: ReadonlySet<string> = new Set(['byte-order-mark', 'comment', 'newline', 'space']);

function compose(tokens: CST.Token[], text: string, problems: ProblemList): Document.Parsed | undefined {
  // TreeBuilder finds duplicate keys: the check in `yaml` is quadratic, and knows only the second place.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, merge: false, keepSourceTokens: false });
  keepFirstErrors(composer);
  let first: Document.Parsed | undefined;
  for (const document of composer.compose(tokens, true, text.length)) {
    if (first !== undefined) {
      problems.error(document.range[0], 'A second YAML document begins here; a manifest is one.', 'remove the `---` between them');
      break;
    }
    first = document;
  }
  if (first === undefined || first.errors.length === 0) return problems.hasErrorsInFile ? undefined : first;
  reportYamlErrors(first.errors, text, problems);
  return undefined;
}

/** The composer makes an Error for each mistake, for instance for every `\q` in a quoted text. Millions of them would fill the memory. */
function keepFirstErrors(composer: Composer): void {
  type OnError = (...error: unknown[]) => void;
  const keep = composer['onError'] as OnError;
  let count = 0;
  const keepFirst: OnError = (...error) => {
    if (++count <= maxKeptProblems) keep(...error);
  };
  composer['onError'] = keepFirst;
}

function isEmptyScalar(node: unknown): boolean {
  return isScalar(node) && node.value === null && node.source === '';
}

/** The tags without an effect: `yaml` does the same without them. */
const knownTags = new Set(['!', 'str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((tag) => (tag === '!' ? tag : `tag:yaml.org,2002:${tag}`)));

/** Turns the nodes of the package into ours, in the order of the file. YAML requires this order for anchors and aliases. */
class TreeBuilder {
  readonly #problems: ProblemList;
  /** `undefined` while the anchored node is still being read. An alias to it then would be a cycle. */
  readonly #anchors = new Map<string, Node | undefined>();
  /** The number of values in a map or list, including the values that aliases add. */
  readonly #sizes = new WeakMap<object, number>();
  #aliasedValues = 0;

  constructor(problems: ProblemList) {
    this.#problems = problems;
  }

  /** `fallback` is the offset for a missing value, such as after `a:` at the end of the file. */
  node(node: YamlNode | null, fallback: number): Node {
    const offset = node?.range?.[0] ?? fallback;
    if (node === null) return empty(offset);
    if (isAlias(node)) return this.#alias(node.source, offset);
    if (node.tag !== undefined && !knownTags.has(node.tag)) {
      const tag = node.tag.replace('tag:yaml.org,2002:', '!!');
      this.#problems.error(offset, `The tag ${quoted(tag)} has no meaning in a manifest.`, 'quote a text that begins with `!`');
    }
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, undefined);
    const result = isMap(node) ? this.#map(node.items as Pair<YamlNode, YamlNode | null>[], offset) : isSeq(node) ? this.#list(node.items as YamlNode[], offset) : this.#scalar(node, offset);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, result);
    return result;
  }

  #scalar(node: YamlNode, offset: number): ScalarNode {
    const result = scalar(node, offset);
    // Only an escape such as "\0" can give a NUL here: source.ts refuses NUL bytes in the file.
    if (result.source.includes('\0')) this.#problems.error(offset, 'A NUL character cannot be given to any program.');
    return result;
  }

  #list(items: readonly YamlNode[], offset: number): ListNode {
    const nodes = items.map((item) => this.node(item, offset));
    return this.#withSize({ kind: 'list', items: nodes, offset }, nodes);
  }

  #map(pairs: readonly Pair<YamlNode, YamlNode | null>[], offset: number): MapNode {
    const entries = new Map<string, MapEntry>();
    const merged: Node[] = [];
    for (const { key, value } of pairs) {
      const at = key.range?.[0] ?? offset;
      if (isCollection(key) || isAlias(key)) {
        this.#problems.error(at, 'A key must be plain text here.');
        continue;
      }
      const name = isScalar(key) ? scalar(key, at).source : '';
      if (name === '<<' && isScalar(key) && key.type === Scalar.PLAIN) {
        merged.push(this.node(value, at));
        continue;
      }
      // In a plain object these names are not ordinary keys.
      if (name === '__proto__' || name === 'constructor' || name === 'prototype') this.#problems.error(at, `\`${name}\` cannot be used as a key.`);
      if (name === '') {
        this.#problems.error(at, 'The key before this `:` is empty.');
        continue;
      }
      const before = entries.get(name);
      const entry = { keyOffset: at, value: this.node(value, at) };
      if (before === undefined) entries.set(name, entry);
      else this.#problems.error(at, `${quoted(name)} is here a second time; the first is on line ${this.#problems.line(before.keyOffset)}.`);
    }
    const sources = merged.flatMap((node) => (node.kind === 'list' ? node.items : [node]));
    for (const source of sources) this.#merge(entries, source);
    return this.#withSize({ kind: 'map', entries, offset, broken: sources.some(isBroken) }, [...entries.values()].map((entry) => entry.value));
  }

  /** `<<: *a` and `<<: [*a, *b]`: existing entries stay, and an earlier source wins over a later one (YAML's merge type). */
  #merge(entries: Map<string, MapEntry>, source: Node): void {
    if (source.kind === 'map') {
      for (const [name, entry] of source.entries) if (!entries.has(name)) entries.set(name, entry);
    } else if (!isBroken(source)) {
      this.#problems.error(source.offset, 'The merge key `<<` takes a map, or a list of maps.');
    }
  }

  #alias(name: string, offset: number): Node {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      const circle = this.#anchors.has(name);
      if (circle) this.#problems.error(offset, `The alias ${quoted(`*${name}`)} is inside of what it stands for.`);
      else this.#problems.error(offset, `There is no anchor ${quoted(`&${name}`)} before this alias.`, () => this.#hintForAlias(name));
      return { ...empty(offset), broken: true };
    }
    const size = this.#sizes.get(target) ?? 1;
    if (this.#aliasedValues + size > maxAliasedValues) {
      this.#problems.error(offset, `The aliases up to here stand for more than ${maxAliasedValues.toLocaleString('en')} values; no manifest needs as many.`);
      return { ...empty(offset), broken: true };
    }
    this.#aliasedValues += size;
    // A mistake in the whole value is reported at the alias, a mistake inside the value at the anchor.
    const used = target.kind === 'scalar' ? { ...target, offset, end: offset } : { ...target, offset };
    this.#sizes.set(used, size);
    return used;
  }

  #hintForAlias(name: string): string {
    return didYouMean(`*${name}`, [...this.#anchors.keys()].map((anchor) => `*${anchor}`)) ?? 'quote a value that begins with `*`';
  }

  #withSize<T extends Node>(node: T, children: readonly Node[]): T {
    this.#sizes.set(node, children.reduce((sum, child) => sum + (this.#sizes.get(child) ?? 1), 1));
    return node;
  }
}

function empty(offset: number): ScalarNode {
  return { kind: 'scalar', value: null, source: '', offset, end: offset };
}

function scalar(node: YamlNode, offset: number): ScalarNode {
  const { value, source } = node as Scalar;
  const known = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null;
  const text = source ?? (known ? String(value) : '');
  // An unknown tag may give another type (bytes of `!!binary`). `node` has reported it, so the text is enough.
  return { kind: 'scalar', value: known ? value : text, source: text, offset, end: node.range?.[1] ?? offset };
}
