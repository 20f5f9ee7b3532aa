// Signals in the first moments: to the runner, and from outside to a process that ignores them.
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { assertNoFiles, assertNothingAlive, descendantsOf, environmentOf, heldWrapper, isAlive, type PipeRun, processInfo, procrunArgv, startCommand, test, waitUntil } from '../support/harness.ts';
import { diedOf, endOf, exited, ready, says, up } from './up-support.ts';

/** Wrong usage, or a manifest with mistakes. */
const statusUsage = 2;

/** The children of the runner, from the kernel. Its main thread starts all of them. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

async function firstChild(run: PipeRun, isIt: (pid: number) => boolean): Promise<void> {
  while (run.end === undefined && !childrenOf(run.pid).some(isIt)) await turn();
}

/** Moments of a start, in their order. */
const moments: Readonly<Record<string, (run: PipeRun) => Promise<unknown>>> = {
  'at once': async () => undefined,
  'while the runner makes its pipes': (run) => firstChild(run, () => true),
  'when the first process is forked': (run) => firstChild(run, (pid) => processInfo(pid)?.pgid === pid),
  'when the first process runs': (run) => run.waitForEvent({ event: 'start' }),
  'when half of them run': (run) => run.waitForEvent({ event: 'start' }, 25),
};

for (const [when, moment] of Object.entries(moments)) {
  test(`a stop signal during the start, ${when}: nothing is left, and the runner dies by the signal`, async () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const run = up({ p: { command: 'echo up; exec sleep 300', instances: 50 } });
      await moment(run);
      run.signal(signal);
      assert.deepEqual(await run.ended, diedOf(signal), run.report());
      // Every started process has a `gone` event.
      const started = run.events({ event: 'start' }).map(({ process }) => process);
      for (const name of started) run.event('gone', name ?? '');
      await assertNothingAlive(run);
    }
  });
}

test('policy `ignore` for SIGINT: a SIGINT from outside never kills the process, not even at its start', async () => {
  const count = 60;
  const run = up({ p: { command: ['/bin/sh', '-c', 'echo alive; exec sleep 300'], instances: count, signals: { SIGINT: 'ignore' } } });
  // Signal every group once, as soon as it exists. It is visible in /proc before the command runs.
  const hit = new Map<string, number>();
  let before = 0;
  while (hit.size < count && run.end === undefined) {
    for (const pid of childrenOf(run.pid)) {
      const info = processInfo(pid);
      if (info?.pgid !== pid) continue;
      const name = environmentOf(pid).PROCRUN_INSTANCE;
      if (name === undefined || hit.has(name)) continue;
      try {
        process.kill(-pid, 'SIGINT');
      } catch {
        continue;
      }
      hit.set(name, pid);
      if (run.events({ event: 'start', process: name }).length === 0) before += 1;
    }
    await turn();
  }
  assert.equal(hit.size, count);
  assert.ok(before > count / 6, `only ${before} of ${count} got SIGINT before their start event`);
  for (const name of hit.keys()) await says(run, name, 'alive');
  // Signal each group once more while the commands run.
  for (const name of hit.keys()) process.kill(-(run.event('start', name).pid ?? assert.fail()), 'SIGINT');
  for (const name of hit.keys()) assert.ok(isAlive(run.event('start', name).pid ?? 0), name);
  assert.deepEqual(run.events({ event: 'exit' }), []);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  for (const name of hit.keys()) {
    assert.deepEqual(endOf(run, name), diedOf('SIGTERM'));
    assert.deepEqual(run.lines(name), ['alive'], `${name} ran once`);
  }
  await assertNothingAlive(run);
});

test('a process that is killed at its start, before or after its command runs, never counts as a success', async () => {
  const run = up({ p: 'echo never; sleep 300' });
  const hit = new Set<number>();
  while (run.end === undefined) {
    for (const pid of childrenOf(run.pid)) {
      if (processInfo(pid)?.pgid !== pid || hit.has(pid)) continue;
      process.kill(pid, 'SIGKILL');
      hit.add(pid);
    }
    await turn();
  }
  // Either the kill or the start of the command comes first.
  const end = await run.ended;
  if (run.events({ event: 'start' }).length === 0) assert.ok(end.code !== 0, `nothing ran, and the status was 0\n${run.report()}`);
  else assert.deepEqual(endOf(run, 'p'), diedOf('SIGKILL'));
  await assertNothingAlive(run);
});

/** A file would show that the command ran. */
const leavesFile = { p: ': >ran; sleep 300' };

async function assertNeverRan(run: PipeRun): Promise<void> {
  assert.deepEqual(await run.ended, diedOf('SIGTERM'), run.report());
  assert.deepEqual(run.events((event) => ['start', 'exit', 'gone'].includes(event.event)), []);
  assert.equal(existsSync(join(run.folder, 'ran')), false);
  await assertNothingAlive(run);
}

test('a signal while the wrapper is not at its gate yet: the command never runs, and nothing is left', async () => {
  const run = up(leavesFile, { env: heldWrapper('early') });
  await waitUntil(() => descendantsOf(run.pid).some(({ pid, pgid, state, argv }) => pid === pgid && state === 'T' && argv.includes('procrun')), 'the wrapper to stop');
  run.signal('SIGTERM');
  await assertNeverRan(run);
});

test('a signal while the wrapper waits at its gate, before the runner hears of that: the command never runs, and nothing is left', async () => {
  await assertNeverRan(up(leavesFile, { env: heldWrapper('at-gate') }));
});

test('a signal while wrappers are held, with others that run and others that wait for them: only what ran has an end', async () => {
  const run = up({ ...leavesFile, q: 'echo "ready $$"; exec sleep 300', r: { command: 'exec sleep 300', depends_on: ['p'] } }, { env: { ...heldWrapper('early'), HOLD_ONLY: 'p' } });
  await ready(run, 'q');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'), run.report());
  assert.deepEqual(run.events({ event: 'gone' }).map(({ process }) => process), ['q']);
  assert.deepEqual(run.events({ event: 'start' }).map(({ process }) => process), ['q']);
  assert.equal(existsSync(join(run.folder, 'ran')), false);
  await assertNothingAlive(run);
});

test('a start that fails while the guard still makes its pipes leaves no file', async () => {
  // This mkfifo is busy with many files for as long as the wrong manifest is read.
  const mkfifo = '#!/bin/sh\ni=0\nwhile [ $i -lt 1000 ]; do i=$((i + 1)); : >"more$i"; done\nPATH=${PATH#*:} exec mkfifo "$@"\n';
  const run = startCommand(['/bin/sh', '-c', 'chmod +x bin/mkfifo; PATH=$PWD/bin:$PATH exec "$@"', 'sh', ...procrunArgv('up')], { manifest: { processes: { p: { comand: 'true' } } }, files: { 'bin/mkfifo': mkfifo } });
  assert.deepEqual(await run.ended, exited(statusUsage), run.report());
  assertNoFiles(run);
});
