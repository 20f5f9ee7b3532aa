// The output forms as users see them: prefixes, timestamps, JSON, `--quiet`, `--group`, and `stderr: split`.
import { strict as assert } from 'node:assert';
import { descendantsOf, signalsOf, start, test, waitUntil } from '../support/harness.ts';
import { diedOf, exited, up, upPretty } from './up-support.ts';

const two = { web: 'echo one; echo; echo two', worker: { command: 'echo three', instances: 2 } };

const sorted = (text: string): string[] => text.split('\n').slice(0, -1).sort();

test('names are padded to the longest; the processes print to stdout, procrun to stderr', async () => {
  const run = upPretty(two);
  assert.deepEqual(await run.ended, exited(0));
  assert.deepEqual(sorted(run.stdout), ['web      | ', 'web      | one', 'web      | two', 'worker.1 | three', 'worker.2 | three']);
  assert.deepEqual(sorted(run.stderr).map((line) => line.slice(0, 'procrun  | '.length)), Array.from({ length: 6 }, () => 'procrun  | '));
});

test('--no-prefix', async () => {
  const run = upPretty(two, { args: ['--no-prefix'] });
  assert.deepEqual(await run.ended, exited(0));
  assert.deepEqual(sorted(run.stdout), ['', 'one', 'three', 'three', 'two']);
});

test('--timestamps also stand before the lines of procrun', async () => {
  const run = upPretty(two, { args: ['--timestamps'] });
  assert.deepEqual(await run.ended, exited(0));
  assert.deepEqual([run.stdout, run.stderr].map((text) => sorted(text).length), [5, 6]);
  for (const line of [...sorted(run.stdout), ...sorted(run.stderr)]) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (web|worker\.\d|procrun) +\| /);
});

test('--timestamps with a format, and followed by a NAME', async () => {
  const run = upPretty(two, { args: ['--timestamps', '%H:%M:%S.%L $&'] });
  assert.deepEqual(await run.ended, exited(0));
  assert.equal(sorted(run.stdout).length, 5);
  for (const line of sorted(run.stdout)) assert.match(line, /^\d\d:\d\d:\d\d\.\d{3} \$& (web|worker\.\d) +\| /);
  const named = upPretty(two, { args: ['--timestamps', 'web', '--no-prefix'] });
  assert.deepEqual(await named.ended, exited(0));
  assert.deepEqual(named.stdout.split('\n').map((line) => line.split(' ').slice(1).join(' ')), ['one', '', 'two', '']);
});

test('--timestamps with an unknown field: one error message, and nothing starts', async () => {
  const run = upPretty(two, { args: ['--timestamps', '%H:%Q'] });
  assert.deepEqual(await run.ended, exited(2));
  assert.match(run.stderr, /There is no %Q in it; there are %Y /);
  assert.equal(run.stdout, '');
});

test('--quiet NAME: the process runs, and its output is not printed', async () => {
  for (const form of ['pretty', 'json']) {
    const run = start(['up', '--format', form, '--quiet', 'web'], { manifest: { processes: { web: 'seq 1 100000; : >was-there', worker: { command: 'until [ -e was-there ]; do sleep 0.02; done; echo three' } } } });
    assert.deepEqual(await run.ended, exited(0));
    if (form === 'pretty') assert.equal(run.stdout, 'worker | three\n');
    else assert.deepEqual(run.events({ event: 'output' }).map(({ process, line }) => [process, line]), [['worker', 'three']]);
  }
});

test('stderr: split goes to the stderr of procrun, with a prefix', async () => {
  const run = upPretty({ p: { command: 'echo out; echo err >&2; printf last >&2', stderr: 'split' }, q: 'echo merged >&2' });
  assert.deepEqual(await run.ended, exited(0));
  assert.deepEqual(sorted(run.stdout), ['p | out', 'q | merged']);
  assert.deepEqual(sorted(run.stderr).filter((line) => !line.startsWith('procrun')), ['p | err', 'p | last']);
});

test('json: each line has its stream', async () => {
  const run = up({ p: { command: 'echo out; echo err >&2', stderr: 'split' } });
  assert.deepEqual(await run.ended, exited(0));
  assert.deepEqual(run.events({ event: 'output' }).map(({ stream, line }) => `${stream} ${line}`).sort(), ['stderr err', 'stdout out']);
});

/** Prints slowly, so that without --group the lines of several instances are mixed. */
const inTurns = 'for i in 1 2 3 4 5; do echo line $i; echo error $i >&2; sleep 0.02; done; printf end';

test('--group: the output of each process stands together, also when many end at once', async () => {
  const run = upPretty({ p: { command: inTurns, instances: 5 } }, { args: ['--group'] });
  assert.deepEqual(await run.ended, exited(0));
  const lines = run.stdout.split('\n').slice(0, -1);
  assert.equal(lines.length, 5 * 11);
  for (let index = 0; index < lines.length; index += 11) {
    const name = lines[index]?.slice(0, 3) ?? '';
    assert.deepEqual(lines.slice(index, index + 11), [...[1, 2, 3, 4, 5].flatMap((number) => [`${name} | line ${number}`, `${name} | error ${number}`]), `${name} | end`]);
  }
});

test('--group with stderr: split', async () => {
  const run = upPretty({ p: { command: inTurns, instances: 3, stderr: 'split' } }, { args: ['--group'] });
  assert.deepEqual(await run.ended, exited(0));
  const names = (text: string): string[] => sortedRuns(text.split('\n').filter((line) => / \| (line|error|end)/.test(line)).map((line) => line.slice(0, 3)));
  assert.equal(names(run.stdout).length, 3, run.stdout);
  assert.equal(names(run.stderr).length, 3, run.stderr);
});

/** The names without repetitions: each name once for each block of its lines. */
function sortedRuns(names: readonly string[]): string[] {
  return names.filter((name, index) => name !== names[index - 1]);
}

test('--group and SIGTERM before the end: the output so far is printed, that of the SIGTERM handler too', async () => {
  const run = upPretty({ p: { command: "trap 'echo last words; exit' TERM; echo first; sleep 300 & wait" } }, { args: ['--group'] });
  const [, pid] = await run.waitFor(/pid (\d+)/, 'stderr');
  // Its output is printed only at its end, so the test asks the kernel when it is ready.
  await waitForTrap(Number(pid));
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.equal(run.stdout, 'p | first\np | last words\n');
});

async function waitForTrap(pid: number): Promise<void> {
  await waitUntil(() => signalsOf(pid, 'SigCgt').includes('SIGTERM') && descendantsOf(pid).length > 0, 'its trap');
}

test('--group as JSON', async () => {
  const run = up({ p: { command: inTurns, instances: 3 } }, { args: ['--group'] });
  assert.deepEqual(await run.ended, exited(0));
  assert.equal(sortedRuns(run.events({ event: 'output' }).map(({ process }) => process ?? '')).length, 3);
});
