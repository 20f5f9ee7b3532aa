// What acts on the whole screen does not pass to a terminal that several processes share. It passes with `raw`, and into a file or pipe.
import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { needsPython, start, terminal, test } from '../support/harness.ts';
import { exited } from './up-support.ts';

/** What `tsc --watch` writes before each build, and other programs at their start or end. */
const screenWide = [
  ['clear, scrollback, home', '\x1b[2J\x1b[3J\x1b[H'],
  ['full reset', '\x1bc'],
  ['alternate screen', '\x1b[?1049h'],
  ['alternate screen among other modes', '\x1b[?7;1049h'],
  ['scroll region', '\x1b[2;10r'],
  ['cursor up', '\x1b[3A'],
  ['title with BEL', '\x1b]0;mine\x07'],
  ['title with ST', '\x1b]2;mine\x1b\\'],
  ['title of screen(1)', '\x1bkmine\x1b\\'],
  ['8-bit clear', '\x9b2J'],
  ['8-bit clear as UTF-8', '\xc2\x9b2J'],
  ['8-bit reverse index', '\x8d'],
  ['device control', '\x1bPqdata\x1b\\'],
  ['application program command', '\x1b_Gdata\x1b\\'],
] as const;

/** Shell code that writes these bytes. */
function writes(bytes: string): string {
  return `printf '${[...Buffer.from(bytes, 'latin1')].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}'`;
}

const everySequence = screenWide.map(([, bytes]) => `<${bytes}>\n`).join('');

test('at a terminal what acts on the whole screen does not pass, colours and movements within the line do', needsPython, async () => {
  const watcher = await terminal(['up', '--no-color'], { manifest: { processes: { p: `${writes(everySequence)}; ${writes('\x1b[31mred\x1b[0m \x1b[K\x1b[5Gx\n')}` } }, columns: 200 });
  assert.deepEqual(await watcher.ended, exited(0));
  const lines = watcher.screenBytes.toString('latin1').replaceAll('\r', '').split('\n').filter((line) => line.startsWith('p '));
  assert.deepEqual(lines, [...screenWide.map(() => 'p | <>'), 'p | \x1b[31mred\x1b[0m \x1b[K\x1b[5Gx']);
});

for (const [what, args, process] of [
  ['raw: true', ['up', '--no-color'], { raw: true }],
  ['--raw', ['up', '--no-color', '--raw'], {}],
] as const) {
  test(`${what} lets everything pass`, needsPython, async () => {
    const full = await terminal(args, { manifest: { processes: { p: { command: writes(everySequence), ...process } } }, columns: 200 });
    assert.deepEqual(await full.ended, exited(0));
    const text = full.screenBytes.toString('latin1').replaceAll('\r', '');
    for (const [name, bytes] of screenWide) assert.ok(text.includes(`<${bytes}>`), name);
  });
}

test('into a pipe every byte passes', async () => {
  const run = start(['up'], { manifest: { processes: { p: writes(everySequence) } } });
  assert.deepEqual(await run.ended, exited(0));
  assert.equal(run.stdoutBytes.toString('latin1'), screenWide.map(([, bytes]) => `p | <${bytes}>\n`).join(''));
});

test('a hidden cursor and an open hyperlink end with their line, whoever prints next', needsPython, async () => {
  const link = '\x1b]8;;http://x.test\x1b\\';
  const p = `${writes(`\x1b[?25l${link}one`)}; until [ -e a ]; do sleep 0.02; done; echo; ${writes(`\x1b[?25l${link}two`)}`;
  const both = await terminal(['up', '--no-color'], { manifest: { processes: { p, q: 'until [ -e b ]; do sleep 0.02; done; echo hello; : >a' } }, columns: 200 });
  await both.waitFor('one', 'terminal');
  writeFileSync(join(both.folder, 'b'), '');
  assert.deepEqual(await both.ended, exited(0));
  const text = both.screenBytes.toString('latin1').replaceAll('\r', '');
  const undone = '\x1b]8;;\x1b\\\x1b[?25h\n';
  for (const word of ['one', 'two']) assert.ok(text.includes(`\x1b[?25l${link}${word}${undone}`), JSON.stringify(text));
});

test('the drill shows what processes print without what acts on the whole screen', needsPython, async () => {
  const drill = await terminal(['drill', '--no-color'], { manifest: { processes: { p: `${writes('<\x1b[2J\x1bc\x1b[31mred>\n')}` } }, columns: 200 });
  await drill.ended;
  assert.match(drill.screenBytes.toString('latin1'), /p \| <\x1b\[31mred>\x1b\[0m\r?\n/);
});
