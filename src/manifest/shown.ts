// Makes text safe for a terminal. `Shown` is the type of such text, and whatever writes to a terminal takes nothing else. So a text of
// the user's, of the system's or of another process cannot reach a terminal unescaped by mistake.

declare const brand: unique symbol;

/** Text on which a terminal does not act, but for line ends and colours that procrun itself put into it. Only this file makes it. */
export type Shown = string & { readonly [brand]: true };

/**
 * The characters that a terminal obeys or does not show: controls (C0, DEL, C1), line and paragraph separators, Unicode's bidirectional
 * controls, which reorder the text around them ("Trojan Source"), other invisible characters, and halves of surrogate pairs.
 * U+200C and U+200D are not among them: scripts and emoji need them to join characters.
 */
const unsafeClass = '\\x00-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\ud800-\\udfff\\u{e0000}-\\u{e007f}';
const unsafe = new RegExp(`[${unsafeClass}]`, 'gu');
const unsafeInLines = new RegExp(`(?!\\n)[${unsafeClass}]`, 'gu');

/** One line: escapes every unsafe character, for instance as `\x1b`. A tab becomes one space. Text that is printable already stays as it is. */
export function printable(text: string): Shown {
  return text.replaceAll('\t', ' ').replace(unsafe, escaped) as Shown;
}

/** The same for a text of several lines: keeps its line ends. Only for text whose line ends are procrun's own: others could forge a line. */
export function printableLines(text: string): Shown {
  return text.replaceAll('\t', ' ').replace(unsafeInLines, escaped) as Shown;
}

/**
 * The tag of a template for text to show. The template's own text stays as it is, and each value becomes one printable line. Put texts
 * of several lines, or with colours, together by `joined`.
 */
export function shown(literals: TemplateStringsArray, ...values: readonly (string | number)[]): Shown {
  return String.raw({ raw: literals }, ...values.map((value) => printable(String(value)))) as Shown;
}

/** Puts texts together, as `Array.join` does. */
export function joined(parts: readonly Shown[], separator: Shown = shown``): Shown {
  return parts.join(separator) as Shown;
}

/** A word of the user's for a message: in backticks, on one line, cut after 60 characters. */
export function quoted(word: string): Shown {
  // Not between the halves of a surrogate pair.
  const text = word.length > 60 ? `${word.slice(0, 57).replace(/[\ud800-\udbff]$/, '')}…` : word;
  return shown`\`${text}\``;
}

/** Adds blanks up to this width, as `String.padEnd` does. Count the width of the printable text: an escaped character is wider. */
export function padded(text: Shown, width: number): Shown {
  return text.padEnd(width) as Shown;
}

/** Puts colours around a text. @param paint adds escape sequences of its own, and changes nothing else. */
export function painted(paint: (text: string) => string, text: Shown): Shown {
  return paint(text) as Shown;
}

/**
 * JSON in which every unsafe character is escaped. `JSON.stringify` escapes C0 only, but a terminal may be the reader.
 * @param indent as in `JSON.stringify`
 */
export function jsonText(value: unknown, indent?: number): Shown {
  // Outside of its strings JSON has no unsafe character but the line ends of the indentation.
  return JSON.stringify(value, null, indent).replace(unsafeInLines, escapedInJson) as Shown;
}

/** Output of a process inside of procrun's own form of output. It passes unchanged, so use this for nothing else. */
export function processOutput(text: string): Shown {
  return text as Shown;
}

function escaped(character: string): string {
  const code = character.codePointAt(0)?.toString(16) ?? '';
  if (code.length <= 2) return `\\x${code.padStart(2, '0')}`;
  return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\u{${code}}`;
}

/** JSON knows only escapes of UTF-16 code units. */
function escapedInJson(character: string): string {
  return Array.from({ length: character.length }, (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`).join('');
}
