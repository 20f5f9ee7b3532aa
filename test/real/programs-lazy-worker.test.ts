// A worker process that must finish its current item, whatever key is typed.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, fixtureCommand, needsPython, test, upAtTerminal } from '../support/harness.ts';

test('lazy worker: on Ctrl+C the current item is finished, and no process gets a KeyboardInterrupt', needsPython, async () => {
  const run = await upAtTerminal({ shop: { command: fixtureCommand('lazy_worker.py'), stop_flag: 'file' } });
  await run.waitForEvent({ event: 'output', line: 'worker: begins 1' });
  run.type('\x03');
  assert.deepEqual(await run.ended, { code: null, signal: 'SIGINT' });

  assert.deepEqual(run.lines('shop'), [
    'worker: begins 0',
    'worker: finished 0',
    'worker: begins 1',
    'worker: finished 1',
    'worker: cleaned up',
    'parent: done',
  ]);
  assert.doesNotMatch(run.stdout + run.screen, /KeyboardInterrupt|Traceback/);
  assert.equal(run.event('gone', 'shop').stage, 'flag');
  assert.equal(run.event('exit', 'shop').code, 0);
  await assertNothingAlive(run);
});
