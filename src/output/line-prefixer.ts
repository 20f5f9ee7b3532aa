// Adds the prefix to each line of one process, and closes its colours at the end of each line. On a terminal the prefix is repeated when
// the process returns to the first column, as progress bars do.
import { isUtf8 } from 'node:buffer';
import { lasting, LineState, partOfLasting } from './line-state.ts';
import { ScreenGuard } from './screen-guard.ts';

const escape = 0x1b;
const carriageReturn = 0x0d;
const shiftOut = 0x0e;
const shiftIn = 0x0f;
/** In UTF-8 the first byte of each control character of 8 bits. */
const leadOfC1 = 0xc2;

/**
 * Where the lines go: into a file or pipe, to a terminal that all processes share, or to a terminal with all that acts on the whole screen
 * (`raw`).
 */
export type Place = 'file' | 'shared-terminal' | 'raw-terminal';

/**
 * The places to change: colours, newlines and, on a terminal, returns to the first column and what ends with its line. A carriage return
 * before a newline does not count; at the end of the text that newline may still follow.
 */
const marks = /\x1b\[([\d;:]*)m|\n/g;
const marksOnTerminal = new RegExp(String.raw`\x1b\[([\d;:]*)m|\n|\r(?!\n|$)|\x1b\[0*1?[G\x60]|(${lasting})`, 'g');

/** A possible first part of a mark. The next bytes decide. */
const partialMark = /\x1b(?:\[[\d;:]{0,40})?$/;
const partialMarkOnTerminal = new RegExp(String.raw`\r?(?:\x1b(?:\[[\d;:]{0,40})?|${partOfLasting})?$`);

/** The UTF-8 bytes of a text as a Latin-1 string. Latin-1 maps each byte to one character and back, so any bytes pass unchanged. */
export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

export class LinePrefixer {
  readonly #place: Place;
  readonly #guard: ScreenGuard | undefined;
  readonly #state = new LineState();
  #held = '';

  constructor(place: Place) {
    this.#place = place;
    this.#guard = place === 'shared-terminal' ? new ScreenGuard() : undefined;
  }

  /** These bytes need a prefix and no other change. */
  isPlain(bytes: Buffer): boolean {
    if (this.#held !== '' || !this.#state.isPlain || bytes.includes(escape)) return false;
    if (this.#place === 'file') return true;
    if (bytes.includes(carriageReturn) || bytes.includes(shiftOut) || bytes.includes(shiftIn)) return false;
    return !this.#guard || (this.#guard.isIdle && isUtf8(bytes) && !bytes.includes(leadOfC1));
  }

  /**
   * Whole lines, newlines included. One replacement over all lines is much faster than a loop.
   * @param prefix as Latin-1.
   * @param isContinuation whether the first line is the rest of a line that already has its prefix.
   */
  lines(bytes: Buffer, prefix: string, isContinuation: boolean): string {
    if (!this.isPlain(bytes)) return `${this.piece(this.#text(bytes).slice(0, -1), prefix, isContinuation)}${this.endLine()}\n`;
    const text = bytes.toString('latin1', 0, bytes.length - 1);
    // A `$` in a timestamp must not act as a replacement pattern of replaceAll().
    const rest = text.replaceAll('\n', `\n${prefix.includes('$') ? prefix.replaceAll('$', '$$$$') : prefix}`);
    return isContinuation ? `${rest}\n` : `${prefix}${rest}\n`;
  }

  /** Reads a piece of an unfinished line. @returns what of it can be shown now, for `piece`; may be empty. */
  readPart(bytes: Buffer): string {
    const text = this.#text(bytes);
    const held = (this.#place === 'file' ? partialMark : partialMarkOnTerminal).exec(text)?.[0] ?? '';
    this.#held = held;
    return held === '' ? text : text.slice(0, -held.length);
  }

  /** Reads the last piece of all output. @returns as `readPart`. */
  readLast(bytes: Buffer): string {
    return this.#text(bytes) + (this.#guard?.end() ?? '');
  }

  /** Adds the prefix to a text of `readPart` or `readLast`. */
  piece(text: string, prefix: string, isContinuation: boolean): string {
    const { rendition } = this.#state;
    const start = isContinuation ? '' : prefix + rendition.opening;
    return start + text.replace(this.#place === 'file' ? marks : marksOnTerminal, (mark: string, parameters: string | undefined, leftOn: string | undefined) => {
      if (parameters !== undefined) rendition.apply(parameters);
      else if (typeof leftOn === 'string') this.#state.apply(leftOn);
      else return `${mark === '\n' ? this.endLine() : this.#endLook()}${mark}${prefix}${rendition.opening}`;
      return mark;
    });
  }

  /** For a newline that is not printed: drops a carriage return held before it. @returns whether nothing else is held. */
  dropLineEnd(): boolean {
    if (this.#held === '\r') this.#held = '';
    return this.#held === '' && !this.#guard?.holds;
  }

  /** The sequences that undo at the end of a line what is left on. The next line or piece with a prefix begins the colours again. */
  endLine(): string {
    return this.#guard ? this.#state.endLine() : this.#state.rendition.closing;
  }

  /** The same at the end of all output. @param isOpen whether a line is open. */
  end(isOpen: boolean): string {
    const { rendition } = this.#state;
    const closing = isOpen ? rendition.closing : '';
    rendition.reset();
    return closing + this.#state.endLine();
  }

  #endLook(): string {
    return this.#guard ? this.#state.endLook() : this.#state.rendition.closing;
  }

  #text(bytes: Buffer): string {
    const text = bytes.toString('latin1');
    const held = this.#held;
    this.#held = '';
    return held + (this.#guard ? this.#guard.pass(text) : text);
  }
}
