// Adds the prefix to each line of one process, and closes its colours at the end of each line. On a terminal the prefix is repeated when
// the process returns to the first column, as progress bars do.
import { Rendition } from './rendition.ts';

const escape = 0x1b;
const carriageReturn = 0x0d;

/**
 * The places to change: colours, newlines and, on a terminal, returns to the first column. A carriage return before a newline does not
 * count; at the end of the text that newline may still follow.
 */
const marks = /\x1b\[([\d;:]*)m|\n/g;
const marksOnTerminal = /\x1b\[([\d;:]*)m|\n|\r(?!\n|$)|\x1b\[[01]?G/g;

/** A possible first part of a mark. The next bytes decide. */
const partialMark = /\x1b(?:\[[\d;:]{0,40})?$/;
const partialMarkOnTerminal = /\r?(?:\x1b(?:\[[\d;:]{0,40})?)?$/;

/** The UTF-8 bytes of a text as a Latin-1 string. Latin-1 maps each byte to one character and back, so any bytes pass unchanged. */
export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

export class LinePrefixer {
  readonly #isTerminal: boolean;
  readonly #rendition = new Rendition();
  #held = '';

  constructor(isTerminal: boolean) {
    this.#isTerminal = isTerminal;
  }

  /** These bytes need a prefix and no other change. */
  isPlain(bytes: Buffer): boolean {
    return this.#held === '' && this.#rendition.isPlain && !bytes.includes(escape) && !(this.#isTerminal && bytes.includes(carriageReturn));
  }

  /**
   * Whole lines, newlines included. One replacement over all lines is much faster than a loop.
   * @param prefix as Latin-1.
   * @param isContinuation whether the first line is the rest of a line that already has its prefix.
   */
  lines(bytes: Buffer, prefix: string, isContinuation: boolean): string {
    if (!this.isPlain(bytes)) return `${this.#prefixed(this.#text(bytes, bytes.length - 1), prefix, isContinuation)}${this.closing}\n`;
    const text = bytes.toString('latin1', 0, bytes.length - 1);
    // A `$` in a timestamp must not act as a replacement pattern of replaceAll().
    const rest = text.replaceAll('\n', `\n${prefix.includes('$') ? prefix.replaceAll('$', '$$$$') : prefix}`);
    return isContinuation ? `${rest}\n` : `${prefix}${rest}\n`;
  }

  /** A piece of an unfinished line. */
  part(bytes: Buffer, prefix: string, isContinuation: boolean): string {
    const text = this.#text(bytes, bytes.length);
    const held = (this.#isTerminal ? partialMarkOnTerminal : partialMark).exec(text)?.[0] ?? '';
    this.#held = held;
    return this.#prefixed(held === '' ? text : text.slice(0, -held.length), prefix, isContinuation);
  }

  /** The last piece of all output. Closes the colours. */
  last(bytes: Buffer, prefix: string, isContinuation: boolean): string {
    const text = this.#prefixed(this.#text(bytes, bytes.length), prefix, isContinuation) + this.closing;
    this.#rendition.reset();
    return text;
  }

  /** Whether bytes are held back because they may be the first part of a mark. */
  get holds(): boolean {
    return this.#held !== '';
  }

  /** For a newline that is not printed: drops a carriage return held before it. @returns whether nothing else is held. */
  dropLineEnd(): boolean {
    if (this.#held === '\r') this.#held = '';
    return this.#held === '';
  }

  /** The sequence that closes the colours. The next line or piece with a prefix opens them again. */
  get closing(): string {
    return this.#rendition.closing;
  }

  #text(bytes: Buffer, end: number): string {
    const text = this.#held + bytes.toString('latin1', 0, end);
    this.#held = '';
    return text;
  }

  #prefixed(text: string, prefix: string, isContinuation: boolean): string {
    const rendition = this.#rendition;
    const start = isContinuation ? '' : prefix + rendition.opening;
    return start + text.replace(this.#isTerminal ? marksOnTerminal : marks, (mark: string, parameters: string | undefined) => {
      if (parameters === undefined) return `${rendition.closing}${mark}${prefix}${rendition.opening}`;
      rendition.apply(parameters);
      return mark;
    });
  }
}
