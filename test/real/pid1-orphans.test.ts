// procrun as PID 1 of a container reaps orphans.
import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, type PipeRun, procrunArgv, startCommand, test, waitUntil } from '../support/harness.ts';
import { asFirst, childrenOf, firstOf, needs, starters } from './pid1-support.ts';
import { exited, statusOf } from './up-support.ts';

const count = 40;

/** An orphan waits until PID 1 has adopted it, prints that, and ends. */
const orphan = 'until read -r _ _ _ parent _ </proc/$$/stat && [ "$parent" = 1 ]; do :; done; echo adopted';
/** Makes the orphans by forking twice, once now and once when the file `again` appears. Then runs on. */
const maker = `make() { for i in $(seq ${count}); do (sh -c '${orphan}' &); done; }; make; until [ -e again ]; do sleep 0.01; done; make; exec sleep 300`;

/** PID 1 is a shell with one child, Node. Further children would be zombies. */
async function assertReaped(run: PipeRun, first: number): Promise<void> {
  await run.waitFor('adopted', 'stdout', count);
  await waitUntil(() => childrenOf(first).length === 1, 'the orphans to be reaped');
  // A signal that interrupts the shell's wait must not end the shell. SIGURG is ignored by default.
  process.kill(first, 'SIGURG');
  writeFileSync(join(run.folder, 'again'), '');
  await run.waitFor('adopted', 'stdout', 2 * count);
  await waitUntil(() => childrenOf(first).length === 1, 'the orphans to be reaped again');
  assert.match(childrenOf(first)[0]?.argv[0] ?? '', /node$/);
}

for (const starter of starters) {
  for (const [what, args] of [
    ['up', ['up']],
    ['run', ['run', '--', '/bin/sh', '-c', maker]],
  ] as const) {
    test(`${what}, started by ${starter.name}: no zombie remains`, needs(starter), async () => {
      const run = startCommand([...asFirst, ...starter.argv, ...args], { manifest: { processes: { maker } } });
      const first = await firstOf(run);
      await assertReaped(run, first);
      process.kill(first, 'SIGTERM');
      assert.deepEqual(await run.ended, exited(statusOf('SIGTERM')));
      await assertNothingAlive(run);
    });
  }
}

const makesRoom = 'execve' in process;

test('started as `node procrun` by a Node with process.execve, it reaps as well', { skip: needs().skip || (makesRoom ? false : 'this Node has no process.execve') }, async () => {
  const run = startCommand([...asFirst, ...procrunArgv('up')], { manifest: { processes: { maker } } });
  const first = await firstOf(run);
  await assertReaped(run, first);
  process.kill(first, 'SIGINT');
  assert.deepEqual(await run.ended, exited(statusOf('SIGINT')));
  assert.doesNotMatch(run.stderr, /Warning/);
  await assertNothingAlive(run);
});

test('started as `node procrun` by a Node without process.execve, it does not reap, but works', { skip: needs().skip || (makesRoom ? 'this Node has process.execve' : false) }, async () => {
  const run = startCommand([...asFirst, ...procrunArgv('up')], { manifest: { processes: { maker } } });
  const first = await firstOf(run);
  await run.waitFor('adopted', 'stdout', count);
  await waitUntil(() => childrenOf(first).filter(({ state }) => state === 'Z').length === count, 'the orphans to be zombies');
  process.kill(first, 'SIGTERM');
  assert.deepEqual(await run.ended, exited(statusOf('SIGTERM')));
  await assertNothingAlive(run);
});
