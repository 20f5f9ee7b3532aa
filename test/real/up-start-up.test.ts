// Signals in the very first moments: the runner's own, and those that somebody sends to a process that ignores them.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { assertNothingAlive, environmentOf, isAlive, type PipeRun, processInfo, test } from '../support/harness.ts';
import { diedOf, endOf, says, up } from './up-support.ts';

/** The children that the kernel knows of the runner's main thread, which does all its spawns. */
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

/** The moments of a start, from the first of the runner itself to the last process but one. */
const moments: Readonly<Record<string, (run: PipeRun) => Promise<unknown>>> = {
  'at once': async () => undefined,
  'when it makes its pipes': (run) => firstChild(run, () => true),
  'when the first process is forked': (run) => firstChild(run, (pid) => processInfo(pid)?.pgid === pid),
  'when the first process runs': (run) => run.waitForEvent({ event: 'start' }),
  'when half of them run': (run) => run.waitForEvent({ event: 'start' }, 25),
};

for (const [when, moment] of Object.entries(moments)) {
  test(`a signal during the start, ${when}: nothing is left, and the end is by the signal`, async () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const run = up({ p: { command: 'echo up; exec sleep 300', instances: 50 } });
      await moment(run);
      run.signal(signal);
      assert.deepEqual(await run.ended, diedOf(signal), run.report());
      // What did not start says nothing, what did has its end.
      const started = run.events({ event: 'start' }).map(({ process }) => process);
      for (const name of started) run.event('gone', name ?? '');
      await assertNothingAlive(run);
    }
  });
}

test('SIGINT: ignore has no moment in which an outside SIGINT kills', async () => {
  const count = 60;
  const run = up({ p: { command: ['/bin/sh', '-c', 'echo alive; exec sleep 300'], instances: count, signals: { SIGINT: 'ignore' } } });
  // Every group is hit once, as soon as it is one: its number can be seen before the command runs.
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
  assert.ok(before > count / 6, `only ${before} of ${count} were hit before their start was told`);
  for (const name of hit.keys()) await says(run, name, 'alive');
  // And once more, at leisure.
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

test('a process whose wrapper is killed whenever it appears is told as not started, and is a failure', async () => {
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
  // Whoever comes first: the kill, or the command.
  const end = await run.ended;
  if (run.events({ event: 'start' }).length === 0) assert.ok(end.code !== 0, `nothing ran, and the status was 0\n${run.report()}`);
  else assert.deepEqual(endOf(run, 'p'), diedOf('SIGKILL'));
  await assertNothingAlive(run);
});
