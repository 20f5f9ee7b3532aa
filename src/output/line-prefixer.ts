// Makes the bytes of one process fit to stand among those of others: its prefix before each line, its colours closed at a
// line's end, and, where a person watches, the prefix again wherever it goes back to the first column, as progress bars do.
import { Rendition } from './rendition.ts';

const escape = 0x1b;
const carriageReturn = 0x0d;

/**
 * What there is to be done about: colours and ends of lines, and on a terminal what goes back to the first column. That is
 * no carriage return before a newline, which may stand behind the end of the text.
 */
const marks = /\x1b\[([\d;:]*)m|\n/g;
const marksOnTerminal = /\x1b\[([\d;:]*)m|\n|\r(?!\n|$)|\x1b\[[01]?G/g;

/** What may only be the beginning of a mark: what it is shows when more has come. */
const beginning = /\x1b(?:\[[\d;:]{0,40})?$/;
const beginningOnTerminal = /\r?(?:\x1b(?:\[[\d;:]{0,40})?)?$/;

/** A text as Latin-1, which maps each byte to one character and back, so that any bytes pass unchanged. */
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

  /** Nothing about these bytes wants more than a prefix. */
  isPlain(bytes: Buffer): boolean {
    return this.#held === '' && this.#rendition.isPlain && !bytes.includes(escape) && !(this.#isTerminal && bytes.includes(carriageReturn));
  }

  /**
   * Whole lines, newlines included. One replacement over all of them costs a fraction of a loop.
   * @param prefix as Latin-1.
   * @param goesOn the first of them is the rest of a line that has its prefix.
   */
  lines(bytes: Buffer, prefix: string, goesOn: boolean): string {
    if (!this.isPlain(bytes)) return `${this.#prefixed(this.#text(bytes, bytes.length - 1), prefix, goesOn)}${this.closing}\n`;
    const text = bytes.toString('latin1', 0, bytes.length - 1);
    // A `$` of a timestamp is one, and not a pattern's.
    const rest = text.replaceAll('\n', `\n${prefix.includes('$') ? prefix.replaceAll('$', '$$$$') : prefix}`);
    return goesOn ? `${rest}\n` : `${prefix}${rest}\n`;
  }

  /** A piece of a line that goes on. */
  part(bytes: Buffer, prefix: string, goesOn: boolean): string {
    const text = this.#text(bytes, bytes.length);
    const held = (this.#isTerminal ? beginningOnTerminal : beginning).exec(text)?.[0] ?? '';
    this.#held = held;
    return this.#prefixed(held === '' ? text : text.slice(0, -held.length), prefix, goesOn);
  }

  /** The last piece; nothing comes after it, and its colours end here. */
  last(bytes: Buffer, prefix: string, goesOn: boolean): string {
    const text = this.#prefixed(this.#text(bytes, bytes.length), prefix, goesOn) + this.closing;
    this.#rendition.reset();
    return text;
  }

  /** Something is held back, for what it is does not show yet. */
  get holds(): boolean {
    return this.#held !== '';
  }

  /** With the newline that comes now, which is not to be shown. @returns false: there is something before it that is. */
  endsHere(): boolean {
    if (this.#held === '\r') this.#held = '';
    return this.#held === '';
  }

  /** Takes its colours back, for a while: its next line or piece with a prefix puts them in force again. */
  get closing(): string {
    return this.#rendition.closing;
  }

  #text(bytes: Buffer, end: number): string {
    const text = this.#held + bytes.toString('latin1', 0, end);
    this.#held = '';
    return text;
  }

  #prefixed(text: string, prefix: string, goesOn: boolean): string {
    const rendition = this.#rendition;
    const start = goesOn ? '' : prefix + rendition.opening;
    return start + text.replace(this.#isTerminal ? marksOnTerminal : marks, (mark: string, parameters: string | undefined) => {
      if (parameters === undefined) return `${rendition.closing}${mark}${prefix}${rendition.opening}`;
      rendition.apply(parameters);
      return mark;
    });
  }
}
