// `procrun down`: the staged stop of a running procrun from outside.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, isAlive, start, test, waitUntil } from '../support/harness.ts';
import { killRunnerAndGuard, assertNothingRuns, quietly, stopRunner } from './control-support.ts';
import { exited, heard, ready, says, stagesOf, up } from './up-support.ts';

const sleeper = 'echo "ready $$"; exec sleep 300';
const deaf = 'trap "" TERM; echo "ready $$"; while :; do sleep 0.05; done';

test('down runs the stages in their order; `down` and `up` end with 0; everything is gone when `down` returns', async () => {
  const run = up({
    web: { command: 'trap "sleep 0.3; echo bye; exit 7" TERM; echo "ready $$"; while :; do sleep 0.02; done', depends_on: ['db'] },
    db: { command: 'echo "ready $$"; while ! [ -e "$PROCRUN_STOP_FILE" ]; do sleep 0.02; done', stop_flag: 'file' },
  });
  const pids = [await ready(run, 'web'), await ready(run, 'db')];
  await quietly(run, 'down');
  assert.ok(!pids.some(isAlive) && !isAlive(run.pid));
  assert.deepEqual(await run.ended, exited(0));
  assert.equal(run.events({ event: 'stopping' })[0]?.cause, 'down');
  assert.deepEqual([stagesOf(run, 'web'), stagesOf(run, 'db')], [['SIGTERM'], ['flag']]);
  await says(run, 'web', 'bye');
  assert.ok(run.event('gone', 'web').time <= run.event('stage', 'db').time);
  await assertNothingAlive(run);
  await assertNothingRuns(run, 'down');
});

test('-t limits the stop, also in a second `down`; both return when everything is gone', async () => {
  const run = up({ p: { command: deaf, stop: [{ SIGTERM: '60s' }] } });
  await ready(run, 'p');
  const first = start(['down'], { beside: run });
  await run.waitForEvent({ event: 'stage', process: 'p' });
  const second = start(['down', '-t', '300ms'], { beside: run });
  for (const down of [first, second]) assert.deepEqual(await down.ended, exited(0), down.report());
  assert.deepEqual(stagesOf(run, 'p'), ['SIGTERM', 'SIGKILL']);
  assert.deepEqual(await run.ended, exited(0));
  await assertNothingAlive(run);
});

test('down resumes a runner that was stopped by SIGSTOP', async () => {
  const run = up({ p: sleeper });
  await ready(run, 'p');
  await stopRunner(run);
  await quietly(run, 'down');
  assert.deepEqual(await run.ended, exited(0));
  await assertNothingAlive(run);
});

test('the runner is killed during `down`: the remaining processes are named, status 70', async () => {
  const run = up({ p: { command: deaf, stop: [{ SIGTERM: '60s' }] } });
  const pid = await ready(run, 'p');
  const down = start(['down'], { beside: run });
  await run.waitForEvent({ event: 'stage', process: 'p' });
  await killRunnerAndGuard(run);
  assert.deepEqual(await down.ended, exited(70), down.report());
  assert.match(down.stderr, new RegExp(`died before it was done; left are p: ${pid} `));
  await quietly(run, 'kill', '--group');
  await assertNothingAlive(run, { within: 1000 });
});

test('down sends a process only the signals of its stages', async () => {
  const run = up({ p: { command: 'for s in INT HUP USR1; do trap "echo SIG$s 1" $s; done; trap "echo SIGTERM 1; exit 0" TERM; echo "ready $$"; while :; do sleep 0.02; done' } });
  await ready(run, 'p');
  await quietly(run, 'down');
  assert.deepEqual(await run.ended, exited(0));
  assert.deepEqual(heard(run, 'p'), ['SIGTERM 1']);
  await assertNothingAlive(run);
  await waitUntil(() => !isAlive(run.pid), 'the end of the runner');
});
