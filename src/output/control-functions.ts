// Which control functions of a terminal act on more than the line that a process is writing. Sources: ECMA-48, xterm's ctlseqs,
// console_codes(4). The functions that are not listed act on the line or on nothing, so they pass.

/** After `ESC [`, by the private marker: the final bytes of functions that act on the screen, on its modes, or make the terminal answer. */
const wideControls: Readonly<Record<string, ReadonlySet<string>>> = {
  // Cursor up, down, next and previous line, any position, restored position (ABEFHdefksu); erase, scroll, insert or delete lines
  // (JLMSTUVY^); tab stops (Wg); modes and the scroll region (hlr); queries (cnx); window, printer, LEDs, self-test (tiqy).
  '': new Set('ABEFHJLMSTUVWY^cdefghiklnqrstuxy'),
  // Erase display, scroll graphics, tab stops, cursor of the Linux console, queries, saved modes, keyboard.
  '?': new Set('JSWcghilmnrsu'),
  // Keys, titles, pointer, keyboard, queries.
  '>': new Set('STacfmnpqstu'),
  '=': new Set('cu'),
  '<': new Set('mstu'),
};

/** After `ESC` alone. Saved and restored cursor, index and new line, resets, keypad, tab stops, shifts that last, memory lock. */
const wideEscapes = new Set('6789=>DEFHMZ`clmno|}~');

/** The 8-bit forms of D, E, H, M and Z. */
const wideC1 = new Set('\x84\x85\x88\x8d\x9a');

/**
 * Operating system commands (`ESC ]`), by their first parameter: titles (0 to 3, l, L, I; Konsole's 30 and 31), colours of the whole
 * screen (4 to 6, 10 to 19, 21, 104 to 106, 110 to 119), folder (7), pointer (22), font (50), iTerm2's own (1337, which can clear).
 */
const wideCommand = /^(?:[0-7]|1\d|2[12]|3[012]|50|10[4-6]|11\d|1337|[lLI].*)$/s;

/** ConEmu and Windows Terminal: `9;3;TITLE`, a progress bar of the window, macros. Another text after `9;` is a notification. */
const windowCommand = /^9;\d{1,2}(?:;|$)/;

/** @returns the part of a sequence (`ESC [ … final`) that acts on the line alone; empty if there is none. */
export function narrowControl(parameters: string, final: string): string {
  // Functions with an intermediate byte: resets, rectangles, columns, scrolling sideways, the cursor's shape.
  if (/[ -/]/.test(parameters)) return '';
  const marker = /^[<-?]/.exec(parameters)?.[0] ?? '';
  // Only the cursor's visibility is a mode that procrun undoes.
  if (marker === '?' && (final === 'h' || final === 'l')) return parameters.slice(1).split(';').some((mode) => Number(mode) === 25) ? `\x1b[?25${final}` : '';
  return wideControls[marker]?.has(final) ? '' : `\x1b[${parameters}${final}`;
}

/** @param intermediates the bytes between `ESC` and the final byte. @returns as `narrowControl`. */
export function narrowEscape(intermediates: string, final: string): string {
  const isWide =
    intermediates === ''
      ? wideEscapes.has(final)
      : // `# 8` fills the screen. `%` and a blank change how the terminal reads and writes bytes.
        (intermediates === '#' && final === '8') || intermediates.startsWith('%') || intermediates.startsWith(' ');
  return isWide ? '' : `\x1b${intermediates}${final}`;
}

/** @param control a character from U+0080 to U+009F. */
export function isWideC1(control: string): boolean {
  return wideC1.has(control);
}

/** Whether an operating system command acts on more than the text after it. */
export function isWideCommand(command: string): boolean {
  return wideCommand.test(command.split(';', 1)[0] ?? '') || windowCommand.test(command);
}
