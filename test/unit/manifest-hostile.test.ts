// No input makes the loader crash, hang or print a stack trace: it gives clear messages within two seconds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokenLimit } from '../../src/manifest/limits.ts';
import { formatProblem } from '../../src/manifest/problem.ts';
import { load, mistakes } from './manifest-support.ts';

const mebibyte = 1024 * 1024;

/** Repeats a piece up to just below the size limit. */
const full = (piece: string, before = '', after = '') => before + piece.repeat(Math.floor((mebibyte - before.length - after.length) / piece.length)) + after;

const aliasBomb = (levels: number) =>
  Array.from({ length: levels }, (_, i) => (i === 0 ? 'x-a0: &a0 [x, x, x, x, x, x, x, x, x]' : `x-a${i}: &a${i} [${Array(9).fill(`*a${i - 1}`).join(', ')}]`)).join('\n');

const hostile: Record<string, string> = {
  'opening brackets': full('['),
  'closing brackets': full(']'),
  'closing braces': full('}'),
  'nested maps': full('{a: '),
  'nested maps without space': full('{a: {a:'),
  'nested lists': full('- '),
  'explicit keys': full('? '),
  'anchors': full('&a '),
  'tags': full('!a '),
  'directives': full('%\n'),
  'quotes': full('"'),
  'commas in a list': full(',', '['),
  'documents': full('---\n'),
  'comments': full('#\n'),
  'empty lines': full('\n'),
  'carriage returns': full('\r'),
  'bad escapes': full('\\q', '"', '"'),
  'one long key': full('k', '', ': v'),
  'one long line of words': full('a '),
  'ever deeper indentation': Array.from({ length: 1400 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join(''),
  'an alias inside its own anchor': '&a [*a, *a]',
  'a map that merges itself': 'x: &a\n  <<: *a\n',
  'an alias bomb': `${aliasBomb(12)}\nprocesses: {web: x}`,
  'a bomb of merge keys': `x0: &x0 {${Array.from({ length: 300 }, (_, i) => `k${i}: 1`).join(', ')}}\n${Array.from({ length: 3000 }, (_, i) => `x${i + 1}: &x${i + 1} {<<: *x${i}, n${i}: 1}`).join('\n')}`,
  'many unknown keys': `processes:\n  web:\n    command: x\n${Array.from({ length: 15_000 }, (_, i) => `    comand${i}: 1\n`).join('')}`,
  'many wrong stages': `processes:\n  web:\n    command: x\n    stop: [${'SIGTRM, '.repeat(30_000)}]`,
  'many circles': `processes:\n${Array.from({ length: 3000 }, (_, i) => `  p${i}: {command: x, depends_on: [p${(i + 1) % 3000}, p${(i + 7) % 3000}]}\n`).join('')}`,
  'many duplicates': full('a: b\n', '', '').slice(0, 5 * 20_000),
  'open expansions': `env: { A: "${'${A:-'.repeat(100_000)}" }\nprocesses: {web: x}`,
  'expansions that grow': `env: { A: "${'x'.repeat(100_000)}" }\nprocesses: {web: {command: x, env: {B: "${'${A}'.repeat(50_000)}"}}}`,
};

/** CPU time of this process, since a busy machine makes wall time useless. */
function msSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

for (const [name, text] of Object.entries(hostile)) {
  test(`${name}: refused within two seconds`, async () => {
    const began = process.cpuUsage();
    const { manifest, problems } = await load(text);
    const shown = problems.map(formatProblem).join('\n');
    assert.ok(msSince(began) < 2000, `took ${msSince(began)} ms`);
    assert.equal(manifest, undefined);
    assert.ok(problems.length >= 1 && problems.length <= 101, `${problems.length} problems`);
    assert.doesNotMatch(shown, /RangeError|TypeError|Maximum call stack|\n\s+at /);
    assert.ok(shown.length < 40_000, `${shown.length} characters are shown`);
  });
}

test('a manifest of thousands of processes is read within two seconds', async () => {
  const began = process.cpuUsage();
  const { manifest } = await load(`processes:\n${Array.from({ length: 4000 }, (_, i) => `  p${i}: {command: x, depends_on: [${i > 0 ? `p${i - 1}` : ''}]}\n`).join('')}`);
  assert.equal(manifest?.processes.length, 4000);
  assert.ok(msSince(began) < 2000, `took ${msSince(began)} ms`);
});

/** Files as generators write them: every process with a comment, and aliases for what they share. */
const long: Record<string, [lines: number, content: string]> = {
  '3,000 processes with comments': [27_001, `processes:\n${Array.from({ length: 3000 }, (_, i) => `  # process ${i}\n  p${i}:\n    command: node server.js --port ${i}  # a comment\n    env:\n      A: foo bar\n      B: "http://x:80/"\n    stop: [{SIGTERM: 5s}, SIGKILL]\n    tags: [a, b]\n\n`).join('')}`],
  'an env of 20,000 variables': [20_002, `processes: { web: x }\nenv:\n${Array.from({ length: 20_000 }, (_, i) => `  VARIABLE_${i}: some value of it ${i}\n`).join('')}`],
  '3,000 processes that share 30 variables by an alias': [3003, `x-env: &env { ${Array.from({ length: 30 }, (_, i) => `V${i}: 1`).join(', ')} }\ndefaults: { quiet: true }\nprocesses:\n${Array.from({ length: 3000 }, (_, i) => `  p${i}: { command: x, env: { <<: *env, OWN: ${i} } }\n`).join('')}`],
};

for (const [name, [lines, content]] of Object.entries(long)) {
  test(`${name}: a long file is no mistake`, async () => {
    assert.equal(content.split('\n').length - 1, lines);
    const began = process.cpuUsage();
    const { manifest, problems } = await load(content);
    assert.deepEqual(problems, []);
    assert.ok(manifest);
    // Linear time: about 1 s for each MiB.
    assert.ok(msSince(began) < 6000, `took ${msSince(began)} ms`);
  });
}

test('the number of words is limited by the memory that V8 has', () => {
  assert.equal(tokenLimit(4 * 1024 * mebibyte), 4_000_000);
  assert.ok(tokenLimit(64 * mebibyte) < 100_000);
});

test('nesting has a fixed limit, independent of the stack size', async () => {
  const nested = (depth: number) => `x-a: ${'['.repeat(depth)}${']'.repeat(depth)}\nprocesses: {web: x}`;
  assert.match((await mistakes(nested(200))).join(), /^1:1\d\d Maps and lists are nested more than 100 deep here\.$/);
  assert.ok((await load(nested(50))).manifest);
});

test('a file that is too large is refused with its size, without parsing', async () => {
  assert.deepEqual(await mistakes(Buffer.alloc(50 * mebibyte, 'a')), ['The file is 50 MiB long; at most 16 MiB are read.']);
  assert.deepEqual(await mistakes(Buffer.alloc(16 * mebibyte + 1, 'a')), ['The file is 16.1 MiB long; at most 16 MiB are read.']);
});

test('NUL bytes, control characters and other encodings are refused', async () => {
  assert.deepEqual(await mistakes('a: b\nc: \0'), ['2:4 There is a NUL byte here; the file must be plain text.']);
  assert.deepEqual(await mistakes('a: b\nc: \x1b[2J'), ['2:4 There is a control character here (0x1b); the file must be plain text.']);
  assert.deepEqual(await mistakes(Buffer.from('name: caf\xe9\n', 'latin1')), ['1:10 The byte 0xe9 here is not UTF-8.']);
  assert.deepEqual(await mistakes(Buffer.from('a: b\nä: \xff'.replace('ä', 'a'), 'latin1')), ['2:4 The byte 0xff here is not UTF-8.']);
  assert.deepEqual(await mistakes(Buffer.concat([Buffer.from('\ufeffa: ä\n  b: '), Buffer.from([0xef, 0xbf])])), ['2:6 The byte 0xef here is not UTF-8.']);
  assert.deepEqual(await mistakes(Buffer.from([0x80])), ['1:1 The byte 0x80 here is not UTF-8.']);
  assert.deepEqual(await mistakes(Buffer.from('\ufeffname: x', 'utf16le')), ['The file is UTF-16, not UTF-8.']);
});

test('a NUL written as an escape is reported at its place', async () => {
  assert.deepEqual(await mistakes('env:\n  A: "a\\0b"\nprocesses: { web: x }'), ['2:6 A NUL character cannot be given to any program.']);
});

test('an alias bomb is reported at the first alias beyond the limit', async () => {
  const [first] = await mistakes(`${aliasBomb(12)}\nprocesses: {web: x}`);
  assert.match(first ?? '', /^\d+:\d+ The aliases up to here stand for more than 200,000 values/);
});

test('escape sequences of a manifest cannot reach the terminal through a message', async () => {
  const { problems } = await load('processes:\n  web: { command: x, "a\\e[2J\u202eb": 1 }\n');
  const shown = problems.map(formatProblem).join('\n');
  assert.match(shown, /`a\\x1b\[2J\\u202eb` is not a key/);
  assert.ok(!shown.includes('\u001b') && !shown.includes('\u202e'));
});
