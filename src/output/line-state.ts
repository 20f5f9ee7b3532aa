// Keeps track of what a line of a process leaves on: colours, a hyperlink, a set of other characters, a hidden cursor. Colours end with
// their line and begin again on the next one. All else ends with its line for good.
import { Rendition } from './rendition.ts';

const showCursor = '\x1b[?25h';
const endLink = '\x1b]8;;\x1b\\';
const normalCharacters = '\x1b(B';
const shiftIn = '\x0f';
const shiftOut = '\x0e';

/**
 * The sequences that `apply` understands: cursor, hyperlink, character set, shift. As the source of a regular expression without groups.
 */
export const lasting = String.raw`\x1b\[\?25[hl]|\x1b\]8;[^;\x07\x1b\n]*;[^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b\([\x30-\x7e]|[\x0e\x0f]`;

/** A possible first part of one of these. */
export const partOfLasting = String.raw`\x1b(?:\[\?25?|\](?:8(?:;[^\x07\x1b\n]{0,2000}\x1b?)?)?|\()`;

export class LineState {
  readonly rendition = new Rendition();
  #hasLink = false;
  #hasOtherCharacters = false;
  #isShifted = false;
  #isCursorHidden = false;

  /** @param sequence one that `lasting` matches. */
  apply(sequence: string): void {
    if (sequence === shiftIn || sequence === shiftOut) this.#isShifted = sequence === shiftOut;
    else if (sequence.startsWith('\x1b(')) this.#hasOtherCharacters = sequence !== normalCharacters;
    else if (sequence.startsWith('\x1b]')) this.#hasLink = !/^\x1b\]8;[^;]*;(?:\x07|\x1b\\)$/.test(sequence);
    else this.#isCursorHidden = sequence.endsWith('l');
  }

  get isPlain(): boolean {
    return this.rendition.isPlain && !this.#hasLink && !this.#hasOtherCharacters && !this.#isShifted && !this.#isCursorHidden;
  }

  /** Ends what would change the prefix. @returns the sequences for it. `rendition.opening` has those that begin the colours again. */
  endLook(): string {
    const ends = this.rendition.closing + (this.#hasLink ? endLink : '') + (this.#hasOtherCharacters ? normalCharacters : '') + (this.#isShifted ? shiftIn : '');
    this.#hasLink = false;
    this.#hasOtherCharacters = false;
    this.#isShifted = false;
    return ends;
  }

  /** Ends all that a line leaves on. */
  endLine(): string {
    const ends = this.endLook() + (this.#isCursorHidden ? showCursor : '');
    this.#isCursorHidden = false;
    return ends;
  }
}
