// Makes the lines that the writers of the throughput benchmark print. Each line begins with its writer's name and a number, so
// each line is unique. traffic.mjs has them printed; verify.mjs checks them.

/** Bytes of a line, including its newline. Only mixed lines have multi-byte characters. */
const lengths = {
  '82-byte': () => 82,
  '16-byte': () => 16,
  '4096-byte': () => 4096,
  // Like a log: mostly short lines, sometimes a long dump.
  mixed: (number) => (number % 1000 === 999 ? 100_000 : number % 20 === 19 ? 2000 : 20 + ((number * 7919) % 160)),
};
/** For mixed lines. A tool that splits a chunk inside a character harms these. */
const multiByteText = Buffer.from('déjà vu, 漢字, ∀x∈ℝ, 🙂. ');
/** Each line begins at another place of this text, so neighbours differ. It also has brackets and bars, which prefixes use. */
const filler = Buffer.from(Array.from({ length: 9973 }, (_, index) => 33 + ((index * index * 31 + index * 17) % 94)));

export const kindsOfLines = Object.keys(lengths);

/** The whole output of one writer. */
export function linesOf(writer, kind, count) {
  const numbers = Array.from({ length: count }, (_, number) => number);
  const all = Buffer.alloc(numbers.reduce((sum, number) => sum + lengths[kind](number), 0));
  let at = 0;
  for (const number of numbers) {
    const line = all.subarray(at, at + lengths[kind](number));
    fill(line.subarray(line.write(`${writer} ${number} `, 'latin1'), -1), kind, number);
    line[line.length - 1] = 0x0a;
    at += line.length;
  }
  return all;
}

function fill(text, kind, number) {
  if (kind === 'mixed' && number % 3 === 0) {
    text.fill(multiByteText);
    // Half a character would be an unfair test for a tool that expects text.
    endWithoutHalfCharacter(text);
    return;
  }
  const copied = filler.copy(text, 0, (number * 89) % filler.length);
  if (copied < text.length) text.fill(filler, copied);
}

function endWithoutHalfCharacter(text) {
  let start = text.length - 1;
  while (start >= 0 && (text[start] & 0xc0) === 0x80) start -= 1;
  if (start >= 0 && text[start] >= 0x80) text.fill('.', start);
}

/** The number of a line of `linesOf`. */
export function numberOf(line) {
  return Number(/^\S+ (\d+) /.exec(line)?.[1]);
}
