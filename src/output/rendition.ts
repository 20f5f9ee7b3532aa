// Keeps track of the colours and attributes that a process has set ("select graphic rendition", SGR, in ECMA-48). They are closed at the
// end of a line and opened again on the next one, so that one process never colours the lines of another.

/** The kinds of SGR attributes, with the parameters that set each and the one that resets it. */
const kinds: readonly { readonly name: string; readonly sets: (code: number) => boolean; readonly resets: number }[] = [
  { name: 'weight', sets: (code) => code === 1, resets: 22 },
  { name: 'faint', sets: (code) => code === 2, resets: 22 },
  { name: 'italic', sets: (code) => code === 3 || code === 20, resets: 23 },
  { name: 'underline', sets: (code) => code === 4 || code === 21, resets: 24 },
  { name: 'blink', sets: (code) => code === 5 || code === 6, resets: 25 },
  { name: 'inverse', sets: (code) => code === 7, resets: 27 },
  { name: 'hidden', sets: (code) => code === 8, resets: 28 },
  { name: 'strike', sets: (code) => code === 9, resets: 29 },
  { name: 'foreground', sets: (code) => (code >= 30 && code <= 38) || (code >= 90 && code <= 97), resets: 39 },
  { name: 'background', sets: (code) => (code >= 40 && code <= 48) || (code >= 100 && code <= 107), resets: 49 },
  { name: 'font', sets: (code) => code >= 11 && code <= 19, resets: 10 },
  { name: 'frame', sets: (code) => code === 51 || code === 52, resets: 54 },
  { name: 'overline', sets: (code) => code === 53, resets: 55 },
  { name: 'underline colour', sets: (code) => code === 58, resets: 59 },
];

/** Every real colour is shorter. Longer parameters are closed but not opened again: repeated on each line, they would flood the output. */
const longestKept = 32;

/** A colour follows 38, 48 and 58: `5;N` or `2;R;G;B`. */
const extended = new Set([38, 48, 58]);

export class Rendition {
  /** The attributes that are set: kind → parameters. */
  readonly #inForce = new Map<string, string>();

  /** @param parameters the text between `ESC [` and `m`. */
  apply(parameters: string): void {
    const codes = parameters.split(';');
    for (let index = 0; index < codes.length; index += 1) {
      const text = codes[index] ?? '';
      // With colons (`4:3`, `38:2::1:2:3`) a code and its own parameters are one word. An empty code is 0.
      const code = Number(text.split(':', 1)[0]);
      if (code === 0 && !text.includes(':')) {
        this.reset();
        continue;
      }
      let whole = text;
      if (extended.has(code) && !text.includes(':')) {
        const more = codes[index + 1] === '5' ? 2 : 4;
        whole = codes.slice(index, index + 1 + more).join(';');
        index += more;
      }
      for (const kind of kinds) {
        // `4:0` resets the underline.
        if (code === kind.resets || text === '4:0' && kind.name === 'underline') this.#inForce.delete(kind.name);
        else if (kind.sets(code)) this.#inForce.set(kind.name, whole.length > longestKept ? String(kind.resets) : whole);
      }
    }
  }

  reset(): void {
    this.#inForce.clear();
  }

  get isPlain(): boolean {
    return this.#inForce.size === 0;
  }

  /** The sequence that resets all attributes; empty if none is set. */
  get closing(): string {
    return this.isPlain ? '' : '\x1b[0m';
  }

  /** The sequences that set all attributes again. */
  get opening(): string {
    return [...this.#inForce.values()].map((parameters) => `\x1b[${parameters}m`).join('');
  }
}
