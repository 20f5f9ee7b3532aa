// The text of one manifest. Decodes its bytes, and converts offsets to lines and columns.
import { isUtf8 } from 'node:buffer';
import { formatSize, maxManifestBytes } from './limits.ts';

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units, as editors count. */
  readonly column: number;
}

/** A text that knows the line and column of each offset. */
export class SourceText {
  readonly text: string;
  /** Offset of the first character of each line. Computed for the first mistake only. */
  #lineStarts: number[] | undefined;

  constructor(text: string) {
    this.text = text;
  }

  position(offset: number): Position {
    const starts = this.#starts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  }

  /** One line, without its end. */
  line(number: number): string {
    const start = this.#starts()[number - 1] ?? this.text.length;
    let end = this.text.indexOf('\n', start);
    if (end < 0) end = this.text.length;
    return withoutReturns(this.text.slice(start, end));
  }

  #starts(): number[] {
    if (this.#lineStarts === undefined) {
      this.#lineStarts = [0];
      for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1)) this.#lineStarts.push(at + 1);
    }
    return this.#lineStarts;
  }
}

/** The carriage returns at the end of a line belong to its line end, as in a file of Windows. */
function withoutReturns(line: string): string {
  let end = line.length;
  while (line[end - 1] === '\r') end--;
  return line.slice(0, end);
}

/** Why a file is not text, and where. */
export interface Unreadable {
  readonly message: string;
  readonly hint?: string;
  readonly line?: number;
  readonly column?: number;
  readonly excerpt?: string;
}

/**
 * Decodes a file. It must be UTF-8 (a byte order mark and CRLF are allowed) and free of control characters.
 * Checks the size first, so that a large file is never decoded.
 */
export function decode(bytes: Uint8Array): SourceText | Unreadable {
  if (bytes.length > maxManifestBytes) {
    return { message: `The file is ${formatSize(bytes.length)} long; at most ${formatSize(maxManifestBytes)} are read.` };
  }
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return { message: 'The file is UTF-16, not UTF-8.', hint: 'save it as UTF-8' };
  }
  if (!isUtf8(bytes)) {
    const { value, ...place } = firstBadByte(bytes);
    return { message: `The byte ${value} here is not UTF-8.`, hint: 'save the file as UTF-8', ...place };
  }
  // TextDecoder drops the byte order mark, which would shift every column of line 1.
  const source = new SourceText(new TextDecoder().decode(bytes));
  // A lone carriage return ends no line here. All following lines would belong to the command of the first one.
  const lone = /(?<!\r)\r+(?![\r\n])/.exec(source.text);
  if (lone !== null) return atIndex(source, lone.index, 'A line ends here in a carriage return (CR) alone, which joins it to the next line.', "save the file with LF line ends, for instance by `tr '\\r' '\\n' <FILE >NEWFILE`");
  const control = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.exec(source.text);
  if (control === null) return source;
  const code = control[0].charCodeAt(0);
  return atIndex(source, control.index, code === 0 ? 'There is a NUL byte here; the file must be plain text.' : `There is a control character here (0x${code.toString(16).padStart(2, '0')}); the file must be plain text.`);
}

function atIndex(source: SourceText, index: number, message: string, hint?: string): Unreadable {
  const place = source.position(index);
  return { message, ...(hint === undefined ? {} : { hint }), ...place, excerpt: source.line(place.line) };
}

/** The first byte that is not UTF-8, in hexadecimal, and its place. The caller knows that there is one. */
export function firstBadByte(bytes: Uint8Array): { readonly value: string; readonly excerpt: string } & Position {
  // An invalid byte decodes to U+FFFD, which encodes to other bytes. So the first difference is the first invalid byte.
  const reencoded = new TextEncoder().encode(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  let bad = 0;
  while (bytes[bad] === reencoded[bad]) bad++;
  // A truncated character may share its first bytes with U+FFFD. Go back to the start of the character.
  while (bad > 0 && ((reencoded[bad] ?? 0) & 0xc0) === 0x80) bad--;

  const lineStart = bytes.lastIndexOf(0x0a, bad - 1) + 1;
  const nextLine = bytes.indexOf(0x0a, bad);
  const decoder = new TextDecoder();
  let line = 1;
  for (let at = bytes.indexOf(0x0a); at >= 0 && at < bad; at = bytes.indexOf(0x0a, at + 1)) line++;
  const value = (bytes[bad] ?? 0).toString(16).padStart(2, '0');
  return {
    value: `0x${value}`,
    line,
    column: decoder.decode(bytes.subarray(bad === 0 ? 0 : lineStart, bad)).length + 1,
    excerpt: withoutReturns(decoder.decode(bytes.subarray(bad === 0 ? 0 : lineStart, nextLine < 0 ? bytes.length : nextLine))),
  };
}
