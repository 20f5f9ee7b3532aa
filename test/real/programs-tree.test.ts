// A tree of processes: however its main process or one of its children ends, no process of it remains.
import { strict as assert } from 'node:assert';
import { type TerminalRun, assertNothingAlive, fixtureCommand, isAlive, needsPython, terminal, test, upAtTerminal } from '../support/harness.ts';

/** The pids of the whole tree: the main process, its two children, and three children of the second one. */
async function treeOf(run: TerminalRun): Promise<number[]> {
  const { line } = await run.waitForEvent((each) => each.event === 'output' && each.line?.startsWith('tree ') === true);
  const pids = (line ?? '').split(' ').slice(1).map(Number);
  assert.equal(pids.length, 6);
  return pids;
}

async function assertGone(run: TerminalRun, pids: readonly number[]): Promise<void> {
  assert.deepEqual(pids.filter(isAlive), [], run.report());
  await assertNothingAlive(run);
}

for (const [how, code, signal, status] of [
  ['normally', 0, null, 0],
  ['exception', 1, null, 1],
  ['exit', 3, null, 3],
  ['killed', null, 'SIGKILL', 137],
] as const) {
  test(`tree: the whole tree ends when its main process has ended (${how})`, needsPython, async () => {
    const run = await upAtTerminal({ tree: fixtureCommand('tree.py', '--end', how) });
    const pids = await treeOf(run);
    assert.deepEqual(await run.ended, { code: status, signal: null });
    const exit = run.event('exit', 'tree');
    assert.deepEqual([exit.code, exit.signal], [code, signal]);
    assert.equal(run.event('gone', 'tree').stage, 'SIGTERM');
    await assertGone(run, pids);
  });
}

test('tree: Ctrl+C ends the whole tree by SIGTERM', needsPython, async () => {
  const run = await upAtTerminal({ tree: fixtureCommand('tree.py') });
  const pids = await treeOf(run);
  run.type('\x03');
  assert.deepEqual(await run.ended, { code: null, signal: 'SIGINT' });
  assert.equal(run.event('gone', 'tree').stage, 'SIGTERM');
  assert.doesNotMatch(run.stdout, /KeyboardInterrupt/);
  await assertGone(run, pids);
});

for (const child of ['producer', 'consumer']) {
  test(`tree: a ${child} that crashes ends the main process, and this stops every other process`, needsPython, async () => {
    const run = await upAtTerminal({
      neighbour: fixtureCommand('signals.py', '--exit-on', 'TERM'),
      tree: { command: fixtureCommand('tree.py', '--crash', child), on_failure: 'stop', depends_on: ['neighbour'] },
    });
    const pids = await treeOf(run);
    assert.deepEqual(await run.ended, { code: 1, signal: null });
    assert.equal(run.event('exit', 'tree').code, 1);
    assert.ok(run.lines('tree').includes(`RuntimeError: the ${child} has crashed`), run.report());
    assert.ok(run.lines('tree').includes('main: a child has ended, and so do I'), run.report());
    assert.equal(run.event('gone', 'neighbour').stage, 'SIGTERM');
    await assertGone(run, [...pids, run.event('start', 'neighbour').pid ?? 0]);
  });
}

test('tree: after its max_runtime it is stopped in stages, and fails with status 124', needsPython, async () => {
  const run = await upAtTerminal({ tree: { command: fixtureCommand('tree.py'), max_runtime: '3s' } });
  const pids = await treeOf(run);
  assert.deepEqual(await run.ended, { code: 124, signal: null });
  assert.deepEqual(run.events({ event: 'stage', process: 'tree' }).map(({ stage }) => stage), ['SIGTERM']);
  assert.equal(run.event('gone', 'tree').stage, 'SIGTERM');
  await assertGone(run, pids);
});

test('tree: the screen says that it has timed out', needsPython, async () => {
  const manifest = { processes: { tree: { command: fixtureCommand('tree.py'), max_runtime: '1s' } } };
  const run = await terminal(['up'], { manifest });
  assert.deepEqual(await run.ended, { code: 124, signal: null });
  assert.match(run.screen, /tree.*timed out/);
  await assertNothingAlive(run);
});
