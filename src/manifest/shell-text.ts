// What a manifest must know about the text of a shell command.

/** True if the last character is a `\` that escapes nothing, since the line ends. `\\` is a plain backslash. Blanks at the end do not count. */
export function endsInBackslash(text: string): boolean {
  const line = text.trimEnd();
  let count = 0;
  while (line.at(-1 - count) === '\\') count++;
  return count % 2 === 1;
}

/** The sign that would close the quotes at the end of a text: `"`, `'`, a backtick, or `}` of a `${`. `undefined` if all are closed. */
export function openQuote(text: string): string | undefined {
  const open: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] ?? '';
    const inner = open.at(-1);
    if (inner === "'") {
      if (sign === "'") open.pop();
    } else if (sign === '\\') {
      at++;
    } else if (sign === inner) {
      open.pop();
    } else if (sign === '"' || sign === '`' || (sign === "'" && inner !== '"')) {
      open.push(sign);
    } else if (text.startsWith('${', at)) {
      open.push('}');
      at++;
    }
  }
  return open[0];
}
