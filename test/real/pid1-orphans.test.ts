// procrun as the first process of a container: orphans that are left to it are reaped.
import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, type PipeRun, procrunArgv, startCommand, test, waitUntil } from '../support/harness.ts';
import { asFirst, childrenOf, firstOf, needs, starters } from './pid1-support.ts';
import { exited, statusOf } from './up-support.ts';

const count = 40;

/** An orphan says that it was adopted by PID 1, and ends. */
const orphan = 'until read -r _ _ _ parent _ </proc/$$/stat && [ "$parent" = 1 ]; do :; done; echo adopted';
/** Forks twice for each of them, now and when it is told to; then runs on. */
const maker = `make() { for i in $(seq ${count}); do (sh -c '${orphan}' &); done; }; make; until [ -e again ]; do sleep 0.01; done; make; exec sleep 300`;

/** The shell that PID 1 is has one child, which is Node; zombies would be others. */
async function assertReaped(run: PipeRun, first: number): Promise<void> {
  await run.waitFor('adopted', 'stdout', count);
  await waitUntil(() => childrenOf(first).length === 1, 'the orphans to be reaped');
  // What interrupts the shell's waiting must not end it. (Nobody takes notice of this signal.)
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
    test(`${what}, started by ${starter.name}: no zombie stays`, needs(starter), async () => {
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

test('told to be run by a Node that can make room for the shell, it reaps as well', { skip: needs().skip || (makesRoom ? false : 'this Node has no process.execve') }, async () => {
  const run = startCommand([...asFirst, ...procrunArgv('up')], { manifest: { processes: { maker } } });
  const first = await firstOf(run);
  await assertReaped(run, first);
  process.kill(first, 'SIGINT');
  assert.deepEqual(await run.ended, exited(statusOf('SIGINT')));
  assert.doesNotMatch(run.stderr, /Warning/);
  await assertNothingAlive(run);
});

test('told to be run by another Node, it does not, but works', { skip: needs().skip || (makesRoom ? 'this Node has process.execve' : false) }, async () => {
  const run = startCommand([...asFirst, ...procrunArgv('up')], { manifest: { processes: { maker } } });
  const first = await firstOf(run);
  await run.waitFor('adopted', 'stdout', count);
  await waitUntil(() => childrenOf(first).filter(({ state }) => state === 'Z').length === count, 'the orphans to be zombies');
  process.kill(first, 'SIGTERM');
  assert.deepEqual(await run.ended, exited(statusOf('SIGTERM')));
  await assertNothingAlive(run);
});
