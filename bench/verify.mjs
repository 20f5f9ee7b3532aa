// Checks that a tool passed on the output of its processes: every line once, in order, byte for byte, under the right name.
import { numberOf } from './lines.mjs';

const newline = 0x0a;

/**
 * @param {Buffer} output the tool's whole output
 * @param {ReadonlyMap<string, Buffer>} printed the expected output of each process, by its name
 * @param {{separator?: string, prefix?: RegExp, own?: RegExp}} form how the tool marks a line. The prefix ends with the first
 *   `separator`, and the RegExp finds the `name` in it. Without a separator the line itself begins with the name. `own` matches the tool's own lines
 * @returns {string | undefined} the harm found; undefined if there is none
 */
export function findHarm(output, printed, form) {
  const read = reader(output, form);
  const next = new Map([...printed.keys()].map((name) => [name, 0]));
  for (let at = 0; at < output.length; ) {
    const { name, payload, end } = read(at);
    const expected = printed.get(name);
    const from = next.get(name) ?? 0;
    // Most lines are right: one comparison, without a copy.
    if (expected && isAt(output, payload, end, expected, from)) next.set(name, from + end - payload + 1);
    else if (!form.own?.test(output.toString('latin1', at, end))) return diagnose(output, printed, form);
    at = end + 1;
  }
  const isComplete = output.at(-1) === newline || output.length === 0;
  const allCame = [...printed].every(([name, expected]) => next.get(name) === expected.length);
  return isComplete && allCame ? undefined : diagnose(output, printed, form);
}

/**
 * Reads the line at an offset: the process's name, the offset of its own text, and the offset of its end.
 * @param {Buffer} output
 * @param {{separator?: string, prefix?: RegExp}} form
 */
function reader(output, { separator, prefix }) {
  const names = new Map();
  return (at) => {
    const newlineAt = output.indexOf(newline, at);
    const end = newlineAt < 0 ? output.length : newlineAt;
    const separatorAt = output.indexOf(separator ?? ' ', at, 'latin1');
    if (separatorAt < 0 || separatorAt > end) return { payload: at, end };
    if (separator === undefined) return { name: output.toString('latin1', at, separatorAt), payload: at, end };
    const payload = separatorAt + separator.length;
    const text = output.toString('latin1', at, payload);
    if (!names.has(text)) names.set(text, prefix?.exec(text)?.groups?.name);
    return { name: names.get(text), payload, end };
  };
}

function isAt(output, start, end, expected, from) {
  const to = from + end - start;
  return expected[to] === newline && output.compare(expected, from, to, start, end) === 0;
}

/** Counts each kind of harm. It is slow, so it runs only when there is harm. */
function diagnose(output, printed, form) {
  const writers = new Map([...printed].map(([name, expected]) => [name, { expected, starts: startsOf(expected), seen: new Map(), last: -1 }]));
  const counts = { lost: 0, doubled: 0, 'out of order': 0, 'cut, torn or foreign': 0 };
  const read = reader(output, form);
  for (let at = 0; at < output.length; ) {
    const { name, payload, end } = read(at);
    const writer = writers.get(name);
    const number = numberOf(output.toString('latin1', payload, Math.min(end, payload + 60)));
    const isWhole = writer && end < output.length && number < writer.starts.length && isAt(output, payload, end, writer.expected, writer.starts[number]);
    if (isWhole) {
      const times = writer.seen.get(number) ?? 0;
      if (times > 0) counts.doubled += 1;
      else if (number < writer.last) counts['out of order'] += 1;
      writer.seen.set(number, times + 1);
      writer.last = Math.max(writer.last, number);
    } else if (!form.own?.test(output.toString('latin1', at, end))) counts['cut, torn or foreign'] += 1;
    at = end + 1;
  }
  let all = 0;
  for (const { starts, seen } of writers.values()) {
    all += starts.length;
    counts.lost += starts.length - seen.size;
  }
  const words = Object.entries(counts).filter(([, count]) => count > 0).map(([what, count]) => `${count.toLocaleString('en')} ${what}`);
  return `${words.join(', ')}; of ${all.toLocaleString('en')} lines`;
}

function startsOf(lines) {
  const starts = [];
  for (let at = 0; at < lines.length; at = lines.indexOf(newline, at) + 1) starts.push(at);
  return starts;
}
