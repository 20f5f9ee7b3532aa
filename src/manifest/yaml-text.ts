// Writes YAML. A parser reads every text back as the same text, and sees no number, date or boolean in it. print-manifest.ts says what to write.
import { endsInBackslash } from './shell-text.ts';
import { printableLines, type Shown } from './shown.ts';

/** A map keeps its order, even with keys like `22`, which an object would put first. */
export type Yaml = string | number | boolean | null | readonly Yaml[] | ReadonlyMap<string, Yaml>;

type Scalar = string | number | boolean | null;

/** A YAML document in block style. A list of single words stands on one line. */
export function yamlText(root: ReadonlyMap<string, Yaml>): Shown {
  // Every text is escaped already, in double quotes.
  return printableLines(`${mapLines(root).join('\n')}\n`);
}

function mapLines(map: ReadonlyMap<string, Yaml>): string[] {
  return [...map].flatMap(([key, value]) => {
    // Only after a `?` may a key be longer than 1024 characters.
    const name = scalar(key);
    return name.length > 1000 ? [`? ${name}`, ...withLead(':', value)] : withLead(`${name}:`, value);
  });
}

/** The lines of a value after its key. */
function withLead(lead: string, value: Yaml): string[] {
  if (typeof value === 'string' && isLiteral(value)) return [`${lead} ${value.endsWith('\n') ? '|' : '|-'}`, ...indented(value.replace(/\n$/, '').split('\n'))];
  if (isScalar(value)) return [`${lead} ${scalar(value)}`];
  if (isList(value)) return value.every(isScalar) ? [`${lead} [${value.map(scalar).join(', ')}]`] : [lead, ...indented(value.flatMap(itemLines))];
  return value.size === 0 ? [`${lead} {}`] : [lead, ...indented(mapLines(value))];
}

function itemLines(item: Yaml): string[] {
  if (isScalar(item) || isList(item) || item.size === 0) return withLead('-', item);
  return mapLines(item).map((line, index) => `${index === 0 ? '- ' : '  '}${line}`);
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`));
}

function isScalar(value: Yaml): value is Scalar {
  return value === null || typeof value !== 'object';
}

function isList(value: Yaml): value is readonly Yaml[] {
  return Array.isArray(value);
}

/** Characters that an editor or a terminal does not show as they are. In double quotes they become escapes. */
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Cn}\p{Co}]/u;

/** A text of several lines that a literal block (`|`) holds exactly and visibly. Blanks at the edges of lines are neither. A `\` at its end looks like half a command. */
function isLiteral(text: string): boolean {
  return text.includes('\n') && !endsInBackslash(text) && !hidden.test(text.replaceAll('\n', '')) && !/^\s|[^\S\n](?:\n|$)|\n\n$/.test(text);
}

/** Words without quotes: they begin like a word or a path, and have no sign with a meaning in YAML. */
const plain = /^[A-Za-z_/][\w/.+=@%-]*(?: [\w/.+=@%-]+)*$/;
/** No YAML takes a duration for a number. */
const duration = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/;
/** YAML 1.1 has more words for booleans than YAML 1.2. */
const reserved = /^(?:true|false|yes|no|on|off|y|n|null)$/i;

function scalar(value: Scalar): string {
  if (typeof value !== 'string') return String(value);
  return (plain.test(value) && !reserved.test(value)) || duration.test(value) ? value : inDoubleQuotes(value);
}

/**
 * JSON's escapes are YAML's too. JSON leaves many hidden characters as they are. It writes `\b` and `\f`, which look like a part of a
 * regular expression, so write their numbers.
 */
function inDoubleQuotes(text: string): string {
  const json = JSON.stringify(text).replace(/\\([^])/g, (escape, letter: string) => (letter === 'b' ? '\\x08' : letter === 'f' ? '\\x0c' : escape));
  return json.replace(new RegExp(hidden, 'gu'), (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`;
  });
}
