// Output at a terminal: prompts, progress bars, colours of several processes, and the colour variables that processes get.
import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, needsPython, start, terminal, type TerminalRun, test } from '../support/harness.ts';
import { diedOf, exited } from './up-support.ts';

const noColor = { args: ['up', '--no-color'] } as const;

function at(processes: Readonly<Record<string, unknown>>, { args = noColor.args, env = {} }: { args?: readonly string[]; env?: Readonly<Record<string, string>> } = {}): Promise<TerminalRun> {
  return terminal(args, { manifest: { processes }, env, columns: 200 });
}

/** Shell code that waits for a file of that name. */
const until = (file: string): string => `until [ -e ${file} ]; do sleep 0.02; done`;

test('a prompt is shown within 50 ms, while others print', needsPython, async () => {
  const program = 'import sys,time\nfor n in range(6):\n    sys.stdout.write(f"prompt {n} {time.time():.4f}?"); sys.stdout.flush(); time.sleep(0.15); print(" done")';
  const run = await at({ p: ['python3', '-c', program], q: 'while :; do echo noise; sleep 0.03; done' });
  const delays: number[] = [];
  for (let index = 0; index < 6; index += 1) {
    const [, printed] = await run.waitFor(new RegExp(`p \\| prompt ${index} ([\\d.]+)\\?`), 'terminal');
    delays.push(Date.now() - Number(printed) * 1000);
  }
  // The delay of a busy machine and of the test is included. Without the promise the delay would be 150 ms, when the line ends.
  assert.ok(Math.min(...delays) < 100, delays.join(' '));
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
});

test('a prompt stays open; its line continues in place, or with a new prefix after another line has cut it', needsPython, async () => {
  const run = await at({ p: `printf 'Name: '; ${until('a')}; echo John; printf 'Age: '; ${until('c')}; echo 7; printf bye`, q: `${until('b')}; echo hello` });
  await run.waitFor('p | Name: ', 'terminal');
  writeFileSync(join(run.folder, 'a'), '');
  await run.waitFor('Age: ', 'terminal');
  writeFileSync(join(run.folder, 'b'), '');
  await run.waitFor('q | hello', 'terminal');
  writeFileSync(join(run.folder, 'c'), '');
  assert.deepEqual(await run.ended, exited(0));
  const lines = run.screen.split('\n');
  assert.deepEqual(lines.filter((line) => !line.startsWith('procrun ')), ['p | Name: John', 'p | Age: ', 'q | hello', 'p | 7', 'p | bye', '']);
});

test('a progress bar keeps its prefix', needsPython, async () => {
  const run = await at({ p: "printf '10%%\\r'; sleep 0.1; printf '20%%\\r'; sleep 0.1; printf '\\033[2K30%%\\r\\n'" });
  assert.deepEqual(await run.ended, exited(0));
  const text = run.screenBytes.toString();
  assert.ok(text.includes('p | 10%\rp | 20%\rp | \x1b[2K30%\r'), JSON.stringify(text));
  assert.ok(!/30%\r+p/.test(text), JSON.stringify(text));
});

test('no process colours the lines of another: colours are closed at the end of a line and opened again on the next one', needsPython, async () => {
  const run = await terminal(['up'], { manifest: { processes: { p: { command: `printf '\\033[1;31mred\\nstill'; ${until('b')}; echo ' red'`, color: 'blue' }, q: `${until('a')}; echo plain; : >b` } } });
  await run.waitFor('still', 'terminal');
  writeFileSync(join(run.folder, 'a'), '');
  assert.deepEqual(await run.ended, exited(0));
  const red = '\x1b[1m\x1b[31m';
  const text = run.screenBytes.toString().replaceAll('\r', '');
  const blue = '\x1b[34mp | \x1b[39m';
  // A line of procrun about q may stand between them.
  assert.ok(text.includes(`${blue}\x1b[1;31mred\x1b[0m\n`) && text.includes(`${blue}${red}still\x1b[0m\n`), JSON.stringify(text));
  assert.match(text, /\x1b\[\d+mq \| \x1b\[39mplain\n/);
  assert.ok(text.includes(`${blue}${red} red\x1b[0m\n`), JSON.stringify(text));
});

test('the run leaves the terminal without colours, and the cursor on a new line', needsPython, async () => {
  for (const args of [['up'], ['up', '--no-prefix']]) {
    const run = await at({ p: "printf '\\033[31mred'" }, { args });
    assert.deepEqual(await run.ended, exited(0));
    const text = run.screenBytes.toString();
    assert.ok(text.includes('red\x1b[0m'), JSON.stringify(text));
    assert.ok(!/\x1b\[31m(?!red)/.test(text), JSON.stringify(text));
  }
});

const tell = 'echo "color=${FORCE_COLOR-unset}"';

for (const [what, process, options, expected] of [
  ['by default the colour depth of the terminal', {}, {}, '2'],
  ['a terminal with 16 colours', {}, { env: { TERM: 'linux' } }, '1'],
  ['a terminal without colours', {}, { env: { TERM: 'dumb' } }, 'unset'],
  ['--no-color', {}, { args: ['up', '--no-color'] }, 'unset'],
  ['NO_COLOR', {}, { env: { NO_COLOR: '1' } }, 'unset'],
  ["the user's own FORCE_COLOR", {}, { env: { FORCE_COLOR: '3' } }, '3'],
  ["the user's own FORCE_COLOR, against NO_COLOR", {}, { env: { FORCE_COLOR: '1', NO_COLOR: '1' } }, '1'],
  ['env: {FORCE_COLOR: null}', { env: { FORCE_COLOR: null } }, {}, 'unset'],
  ['env: {FORCE_COLOR: 0}', { env: { FORCE_COLOR: '0' } }, {}, '0'],
  ['env: {NO_COLOR: 1}', { env: { NO_COLOR: '1' } }, {}, 'unset'],
  ['--format json', {}, { args: ['up', '--format', 'json'] }, 'unset'],
] as const) {
  test(`colour variables at a terminal: ${what}`, needsPython, async () => {
    const run = await at({ p: { ...process, command: tell } }, { args: ['up'], ...options });
    assert.deepEqual(await run.ended, exited(0));
    assert.match(run.screen, new RegExp(`color=${expected}\\b`));
  });
}

test('without a terminal a process gets no colour variables, except those of the user', async () => {
  for (const env of [{}, { FORCE_COLOR: '1' }]) {
    const run = start(['up'], { manifest: { processes: { p: tell } }, env });
    assert.deepEqual(await run.ended, exited(0));
    assert.equal(run.stdout.includes('\x1b'), 'FORCE_COLOR' in env);
    assert.match(run.stdout, 'FORCE_COLOR' in env ? /color=1$/m : /color=unset$/m);
    await assertNothingAlive(run);
  }
});
