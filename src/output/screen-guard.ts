// Removes from the output of a process what acts on the whole screen, so that one process cannot wipe the lines of the others. Reads like
// the parser of a terminal (https://vt100.net/emu/dec_ansi_parser), so a sequence may come in any number of pieces. Expects a terminal for
// UTF-8: a byte from 0x80 to 0x9f is a control character only outside of a character.
import { isWideC1, isWideCommand, narrowControl, narrowEscape } from './control-functions.ts';

const bell = '\x07';
const newline = '\n';
const escape = '\x1b';
/** CAN and SUB end a sequence in the middle. */
const cancels = new Set('\x18\x1a');

const escapeCode = 0x1b;
/** The first byte of the UTF-8 form of the characters U+0080 to U+00BF. Those up to U+009F are control characters. */
const leadOfC1 = 0xc2;

/** A longer sequence does not pass. The longest that programs use are hyperlinks, of about 2,000 bytes. */
const longest = 4096;

/** After `ESC`, the beginning of a string: device control, start of string, operating system command, privacy message, application command, title of screen(1). */
const stringIntroducers = new Set('PX]^_k');
/** The same as control characters of 8 bits. */
const stringIntroducersC1: Readonly<Record<string, string>> = { '\x90': 'P', '\x98': 'X', '\x9d': ']', '\x9e': '^', '\x9f': '_' };
const controlC1 = '\x9b';
const terminatorC1 = '\x9c';

/** Palette of the Linux console: these commands have no terminator. */
const paletteCommand = /^(?:R|P[\da-fA-F]{7})$/;

/**
 * What the parser reads: text; the byte after `leadOfC1`; a sequence after `ESC`, after `ESC [`, or a string that ends with a terminator;
 * the byte after an `ESC` in a string.
 */
type State = 'text' | 'lead' | 'escape' | 'control' | 'string' | 'string escape';

export class ScreenGuard {
  #state: State = 'text';
  /** The unfinished sequence behind its introducer. No more than `longest` of it is kept. */
  #body = '';
  /** The introducer of the unfinished string, without the `ESC`. */
  #string = '';
  /** So many more bytes of a UTF-8 character follow. In a character a byte from 0x80 to 0x9f is no control character. */
  #following = 0;
  #passed = '';

  get isIdle(): boolean {
    return this.#state === 'text' && this.#following === 0;
  }

  /** Whether bytes are held back. */
  get holds(): boolean {
    return this.#state !== 'text';
  }

  /**
   * Holds an unfinished sequence back. Drops it if the line ends before it.
   * @param text bytes as Latin-1.
   * @returns the text without what acts on the whole screen. Sequences that begin with a character of 8 bits begin with `ESC` instead.
   */
  pass(text: string): string {
    this.#passed = '';
    for (let at = 0; at < text.length;) {
      if (this.#state === 'text') {
        const end = this.#endOfText(text, at);
        this.#passed += text.slice(at, end);
        at = end;
        if (at === text.length) break;
      }
      if (this.#read(text.charAt(at))) at += 1;
    }
    return this.#passed;
  }

  /** The output has ended. @returns the part of an unfinished sequence that is text. */
  end(): string {
    this.#passed = '';
    if (this.#state === 'lead') this.#passed = String.fromCharCode(leadOfC1);
    else this.#abandon();
    this.#state = 'text';
    this.#following = 0;
    return this.#passed;
  }

  /** @returns the place of the next byte that is not plain text. */
  #endOfText(text: string, from: number): number {
    for (let at = from; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === escapeCode) return at;
      if (code >= 0x80 && !this.#isContinuation(code) && (code < 0xa0 || code === leadOfC1)) return at;
      if (code < 0x80) this.#following = 0;
    }
    return text.length;
  }

  /** Keeps track of UTF-8 characters, except for those that `leadOfC1` begins. */
  #isContinuation(code: number): boolean {
    if (this.#following > 0 && code >= 0x80 && code < 0xc0) {
      this.#following -= 1;
      return true;
    }
    this.#following = code > leadOfC1 && code <= 0xf4 ? (code < 0xe0 ? 1 : code < 0xf0 ? 2 : 3) : 0;
    return false;
  }

  /** @returns false if the byte must be read again in the new state. */
  #read(byte: string): boolean {
    switch (this.#state) {
      case 'text':
        return this.#readIntroducer(byte);
      case 'lead':
        return this.#readAfterLead(byte);
      case 'escape':
        return this.#readEscape(byte);
      case 'control':
        return this.#readControl(byte);
      case 'string':
        return this.#readString(byte);
      case 'string escape':
        return this.#readStringEscape(byte);
    }
  }

  #readIntroducer(byte: string): boolean {
    if (byte === escape) this.#begin('escape');
    else if (byte.charCodeAt(0) === leadOfC1) this.#begin('lead');
    else this.#readC1(byte, byte);
    return true;
  }

  #readAfterLead(byte: string): boolean {
    const lead = String.fromCharCode(leadOfC1);
    this.#state = 'text';
    if (isC1(byte)) {
      this.#readC1(byte, lead + byte);
      return true;
    }
    this.#passed += lead;
    this.#following = 1;
    return false;
  }

  #readC1(control: string, bytes: string): void {
    const introducer = stringIntroducersC1[control];
    if (control === controlC1) this.#begin('control');
    else if (introducer !== undefined) this.#beginString(introducer);
    else if (!isWideC1(control)) this.#passed += bytes;
  }

  #readEscape(byte: string): boolean {
    if (isInterruption(byte)) return this.#interrupt(byte);
    if (isIgnored(byte)) return true;
    if (byte < '0') {
      this.#keep(byte);
    } else if (this.#body === '' && byte === '[') {
      this.#begin('control');
    } else if (this.#body === '' && stringIntroducers.has(byte)) {
      this.#beginString(byte);
    } else {
      this.#state = 'text';
      if (!this.#isTooLong) this.#passed += narrowEscape(this.#body, byte);
    }
    return true;
  }

  #readControl(byte: string): boolean {
    if (isInterruption(byte)) return this.#interrupt(byte);
    if (isIgnored(byte)) return true;
    if (byte < '@') {
      this.#keep(byte);
    } else {
      this.#state = 'text';
      if (!this.#isTooLong) this.#passed += narrowControl(this.#body, byte);
    }
    return true;
  }

  #readString(byte: string): boolean {
    if (byte === newline || cancels.has(byte)) {
      if (byte === newline) this.#abandon();
      this.#state = 'text';
      return byte !== newline;
    }
    if (byte === escape) {
      this.#state = 'string escape';
      return true;
    }
    // The terminal, too, takes a BEL for an end in this kind of string only.
    if (byte === bell && this.#string === ']') return this.#endString(bell);
    if (!this.#isContinuation(byte.charCodeAt(0)) && isC1(byte)) {
      this.#body = this.#body.replace(/\xc2$/, '');
      if (byte === terminatorC1) return this.#endString(`${escape}\\`);
      this.#abandon();
      this.#state = 'text';
      return false;
    }
    this.#keep(byte);
    if (this.#string === ']' && paletteCommand.test(this.#body)) this.#state = 'text';
    return true;
  }

  #readStringEscape(byte: string): boolean {
    if (byte === '\\') return this.#endString(`${escape}\\`);
    if (this.#string === ']') {
      this.#abandon();
      this.#begin('escape');
      return false;
    }
    // In the other strings it may be a sequence for an outer terminal. tmux(1) wants its ESC twice.
    this.#state = byte === escape ? 'string escape' : 'string';
    return this.#state === 'string escape';
  }

  #begin(state: State): void {
    this.#state = state;
    this.#body = '';
    this.#following = 0;
  }

  #beginString(introducer: string): void {
    this.#begin('string');
    this.#string = introducer;
  }

  #keep(byte: string): void {
    if (!this.#isTooLong) this.#body += byte;
  }

  get #isTooLong(): boolean {
    return this.#body.length >= longest;
  }

  #endString(terminator: string): true {
    this.#state = 'text';
    this.#following = 0;
    if (this.#string === ']' && !this.#isTooLong && !isWideCommand(this.#body)) this.#passed += `${escape}]${this.#body}${terminator}`;
    return true;
  }

  /** A sequence that is interrupted has no effect. @returns as `#read`. */
  #interrupt(byte: string): boolean {
    this.#state = 'text';
    return cancels.has(byte);
  }

  /** A string without its end must not swallow the lines that follow: it becomes text. */
  #abandon(): void {
    if (this.#state === 'string' || this.#state === 'string escape') this.#passed += this.#body.replace(/[\x00-\x1f\x7f]|\xc2$/g, '');
  }
}

function isC1(byte: string): boolean {
  return byte >= '\x80' && byte <= '\x9f';
}

/** A terminal obeys other control characters in the middle of a sequence. They have no use there, so they are dropped. */
function isIgnored(byte: string): boolean {
  return byte < ' ' || byte === '\x7f';
}

/** These end a sequence before its final byte: a new sequence, a newline, CAN and SUB, and characters that are not ASCII. */
function isInterruption(byte: string): boolean {
  return byte === escape || byte === newline || cancels.has(byte) || byte >= '\x80';
}
