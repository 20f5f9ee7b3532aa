// `procrun explain`: stages with the shortest and the longest time.
import { strict as assert } from 'node:assert';
import { execute, test } from '../support/harness.ts';
import { exited } from './up-support.ts';

test('stages with time 0 and without a time limit', async () => {
  const stop = [{ run: { command: './drain', timeout: 0 } }, { SIGINT: 0 }, { SIGHUP: 1e30 }, { SIGTERM: '3s' }];
  const run = await execute(['explain'], { manifest: { processes: { web: { command: 'x', stop } } } });
  assert.deepEqual([run.end, run.stderr], [exited(0), '']);
  const stages = run.stdout.split('\n').filter((line) => /^ +\d /.test(line)).map((line) => line.replace(/ {2,}/g, '  ').trim());
  assert.deepEqual(stages, [
    '1  run 0s  runs ./drain; no time for it',
    '2  SIGINT 0s  SIGINT to the whole tree; no time to end by it',
    '3  SIGHUP forever  SIGHUP to the whole tree; waits without end',
    '4  SIGTERM 3s  SIGTERM to the whole tree; up to 3s',
    '5  SIGKILL  to the whole tree, again and again until it is gone; up to 5s',
  ]);
});

test('SIGKILL by a policy goes to the whole tree, whatever the scope', async () => {
  const signals = { SIGUSR1: 'SIGKILL', SIGUSR2: 'forward' };
  const run = await execute(['explain'], { manifest: { processes: { web: { command: 'x', stop_scope: 'leader', signals } } } });
  assert.match(run.stdout, /SIGUSR1 .*SIGKILL at once, to its whole tree/);
  assert.match(run.stdout, /SIGUSR2 .*SIGUSR2 at once, to its leader alone/);
});
