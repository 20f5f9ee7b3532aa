// The runner's memory stays low: enormous lines, many writers, a reader that is slow or reads nothing, and `--group`.
import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, isAlive, needsPython, type PipeRun, procrunArgv, root, startCommand, statusField, test, waitUntil } from '../support/harness.ts';
import { heavy, standstill, writer } from './output-support.ts';
import { anotherGesture, diedOf, exited, up, upPretty } from './up-support.ts';

/** The limit for the runner's memory, in KiB. */
const mostMemory = 120 * 1024;

const megabyte = 1_000_000;

/** A command that prints so many bytes `x` without a newline. */
const enormous = (bytes: number): string => `head -c ${bytes} /dev/zero | tr '\\0' x`;

function measure(processes: Readonly<Record<string, unknown>>, { args = [], slow = false }: { args?: readonly string[]; slow?: boolean } = {}): PipeRun {
  return startCommand(['python3', '-I', '-S', join(root, 'test/support/measure.py'), slow ? 'slow' : 'fast', '--', ...procrunArgv('up', ...args)], { manifest: { processes } });
}

type Line = readonly [head: string, length: number, x: number];

function measured(run: PipeRun): { lines: Line[]; status: number; maxrss: number } {
  const all = run.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
  return { lines: all.slice(0, -1) as Line[], ...(all.at(-1) as { status: number; maxrss: number }) };
}

for (const slow of [false, true]) {
  const size = (heavy ? 1000 : slow ? 60 : 200) * megabyte;
  test(`a line of ${size / megabyte} MB, and another process beside it${slow ? ', to a slow reader' : ''}: each line is whole, and memory stays low`, { ...needsPython, timeout: 300_000 }, async () => {
    const run = measure({ big: `${enormous(size)}; echo`, small: writer(2000) }, { slow });
    await run.ended;
    const { lines, status, maxrss } = measured(run);
    assert.equal(status, 0, run.report());
    assert.ok(maxrss < mostMemory, `${maxrss} KiB`);
    assert.deepEqual(lines.filter(([head]) => head.startsWith('big')).map(([, length, x]) => [length, x]), [['big   | '.length + size, size]]);
    const small = lines.filter(([head]) => head.startsWith('small')).map(([head]) => head);
    assert.deepEqual(small, Array.from({ length: 2000 }, (_, index) => `small | small ${index + 1} ${'x'.repeat(20)}`));
  });
}

test('an enormous line that makes no progress for a second lets the others print, and continues on a new line', needsPython, async () => {
  const big = `${enormous(12 * megabyte)}; : >big; until [ -e go ]; do sleep 0.02; done; echo end`;
  const run = measure({ a: big, b: 'until [ -e big ]; do sleep 0.02; done; echo hello; printf unfinished' });
  await run.waitFor('"b | unfinished"', 'stdout');
  writeFileSync(join(run.folder, 'go'), '');
  await run.ended;
  const { lines, status } = measured(run);
  assert.equal(status, 0, run.report());
  assert.deepEqual(lines.map(([head, length]) => (length > 100 ? length : head)), [12 * megabyte + 4, 'b | hello', 'b | unfinished', 'a | end']);
});

test('an enormous line that grows slowly is not cut', needsPython, async () => {
  const program = 'import os,time\nos.write(1, b"x" * 9000000)\nfor _ in range(16): time.sleep(0.1); os.write(1, b"x" * 1000)\nos.write(1, b"\\n")';
  const run = measure({ a: ['python3', '-c', program], b: 'for i in 1 2 3 4 5 6 7 8 9 10; do echo b; sleep 0.1; done' });
  await run.ended;
  const { lines } = measured(run);
  assert.deepEqual(lines.filter(([head]) => head.startsWith('a')).map(([, length]) => length), [4 + 9_016_000]);
  assert.equal(lines.filter(([head]) => head === 'b | b').length, 10);
});

test('json: a line of 1 MB is one event, an enormous line is several, and memory stays low', needsPython, async () => {
  // Lines of NUL: in JSON each byte takes six. The 1 MB line comes first: all unfinished lines share one buffer limit, so the other could split it.
  const run = measure({ one: `${enormous(megabyte)}; echo`, big: `until [ -e go ]; do sleep 0.02; done; head -c ${20 * megabyte} /dev/zero; echo` }, { args: ['--format', 'json'] });
  await run.waitFor('\\"event\\":\\"gone\\",\\"process\\":\\"one\\"', 'stdout');
  writeFileSync(join(run.folder, 'go'), '');
  await run.ended;
  const { lines, maxrss } = measured(run);
  assert.ok(maxrss < mostMemory, `${maxrss} KiB`);
  const of = (name: string): Line[] => lines.filter(([head]) => head.includes(`"output","process":"${name}"`));
  assert.deepEqual(of('one').map(([, , x]) => x), [megabyte]);
  assert.ok(of('big').length > 5, `${of('big').length} events`);
  const overhead = of('big').at(-1)?.[0].split('"line":"')[0]?.length ?? 0;
  const total = of('big').reduce((sum, [, length]) => sum + length - overhead - '"line":"","part":true}'.length, '"part":true,'.length);
  assert.equal(total, 6 * 20 * megabyte);

  const events = up({ big: `${enormous(9 * megabyte)}; echo end` });
  await events.ended;
  const parts = events.events({ event: 'output', process: 'big' });
  assert.deepEqual(parts.map(({ part }) => part), [...parts.slice(1).map(() => true), undefined]);
  assert.equal(parts.map(({ line }) => line).join('') === `${'x'.repeat(9 * megabyte)}end`, true);
});

test('two hundred writers and a reader that reads nothing: the writers wait, memory stays low, nothing is lost', async () => {
  const run = upPretty({ w: { command: writer(1500, 60), instances: 200 } });
  await run.waitFor('w.1 1 xxx', 'stdout');
  run.pauseReading();
  await run.waitFor('w.200 started', 'stderr');
  await standstill(run.pid);
  const memory = parseInt(statusField(run.pid, 'VmHWM') ?? '', 10);
  assert.ok(memory < mostMemory, `${memory} KiB`);
  run.resumeReading();
  assert.deepEqual(await run.ended, exited(0));
  assert.equal(run.stdout.split('\n').length - 1, 200 * 1500);
});

test('--group: 50 MB held, and a slow reader: each output stands together, and memory stays low', needsPython, async () => {
  const lines = 25_000;
  const run = measure({ w: { command: writer(lines, 1000), instances: 2 } }, { args: ['--group'], slow: true });
  await run.ended;
  const { lines: all, status, maxrss } = measured(run);
  assert.equal(status, 0, run.report());
  assert.ok(maxrss < mostMemory, `${maxrss} KiB`);
  assert.equal(all.length, 2 * lines);
  const first = all[0]?.[0].slice(0, 3) ?? '';
  const order = [first, first === 'w.1' ? 'w.2' : 'w.1'];
  const wrong = all.findIndex(([head], index) => head !== `${order[Math.floor(index / lines)]} | ${order[Math.floor(index / lines)]} ${(index % lines) + 1} ${'x'.repeat(1000)}`.slice(0, 120));
  assert.equal(wrong, -1, String(all[wrong]?.[0]));
});

test('--group: SIGTERM waits for a reader that reads nothing; a second SIGTERM discards the held output', async () => {
  const run = upPretty({ p: 'seq 1 2000000', q: 'sleep 300' }, { args: ['--group'] });
  run.pauseReading();
  const [, q] = await run.waitFor(/q started \(pid (\d+)\)/, 'stderr');
  await standstill(run.pid);
  run.signal('SIGTERM');
  await waitUntil(() => !isAlive(Number(q)), 'the end of q');
  await anotherGesture();
  assert.equal(run.end, undefined, 'the first SIGTERM does not discard the held output');
  // On a busy machine the runner may not know the end of q yet. The second SIGTERM is then the next stage of q, and the third discards.
  while (!run.stderr.includes('p: the end of its output is lost: nobody reads it')) {
    run.signal('SIGTERM');
    await anotherGesture();
  }
  // The runner does not wait any more. The content of the pipe can still be read.
  run.resumeReading();
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.ok(run.stdout.startsWith('p | 1\np | 2\n'));
  await assertNothingAlive(run);
});
