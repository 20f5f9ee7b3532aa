// What a manifest must know about the text of a shell command.

/** True if the last character is a `\` that escapes nothing, since the line ends. `\\` is a plain backslash. Blanks at the end do not count. */
export function endsInBackslash(text: string): boolean {
  const line = text.trimEnd();
  let count = 0;
  while (line.at(-1 - count) === '\\') count++;
  return count % 2 === 1;
}
